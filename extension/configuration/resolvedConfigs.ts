import { l10n, type TextDocumentContentProvider, Uri } from 'vscode';
import { messageOf, UnimissError } from '../../protocol/errors.ts';
import type { RunInfo } from '../../protocol/runs/runInfo.ts';
import type { Context } from '../context.ts';
import { readText } from '../machines/readText.ts';
import { resolvedScheme } from './resolvedScheme.ts';

/** Where the editor reads the configuration of a run with every choice made. It cannot be edited there: the run goes on with it. */
export function resolvedConfigUri({ id, folder }: Pick<RunInfo, 'id' | 'folder'>): Uri {
  return Uri.from({ scheme: resolvedScheme, path: `/${id}.json`, query: folder });
}

/** Provides these texts, also in a window that has not asked for its runs yet; of another machine once it is connected. */
export function resolvedConfigs({ store }: Pick<Context, 'store'>): TextDocumentContentProvider {
  return {
    async provideTextDocumentContent({ query: folder }) {
      if (!store.get(folder)) await store.load();
      if (!store.get(folder))
        throw new UnimissError('run', l10n.t('is not listed: it was deleted, or its machine is not connected'), {
          place: folder,
        });
      const file = `${folder}/config.resolved.json`;
      return readText(file).catch((cause) => {
        throw new UnimissError('run', l10n.t('cannot be read: {0}', messageOf(cause)), { place: file, cause });
      });
    },
  };
}
