import { type Disposable, l10n, Uri, workspace } from 'vscode';
import { messageOf, UnimissError } from '../../protocol/errors.ts';
import type { RunInfo } from '../../protocol/runs/runInfo.ts';
import type { Context } from '../context.ts';
import { readText } from '../machines/readText.ts';

const scheme = 'unimiss-resolved';

/** Where the editor reads the configuration of a run with every choice made. It cannot be edited there: the run goes on with it. */
export function resolvedConfigUri({ id, folder }: Pick<RunInfo, 'id' | 'folder'>): Uri {
  return Uri.from({ scheme, path: `/${id}.json`, query: folder });
}

/** Provides these texts, also of runs on other machines. */
export function provideResolvedConfigs(ctx: Pick<Context, 'daemon' | 'extension' | 'store'>): Disposable {
  return workspace.registerTextDocumentContentProvider(scheme, {
    async provideTextDocumentContent({ query: folder }) {
      const run = ctx.store.get(folder);
      if (!run) throw new UnimissError('run', l10n.t('is not listed any more'), { place: folder });
      const file = `${folder}/config.resolved.json`;
      return readText(file).catch((cause) => {
        throw new UnimissError('run', l10n.t('cannot be read: {0}', messageOf(cause)), { place: file, cause });
      });
    },
  });
}
