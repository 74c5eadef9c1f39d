import { commands, env, l10n } from 'vscode';
import { withAbsolutePaths } from '../../protocol/config/ownPaths.ts';
import { runDetails, runImage } from '../../protocol/daemon/messages.ts';
import { messageOf, UnimissError } from '../../protocol/errors.ts';
import { isObject } from '../../protocol/json.ts';
import type { RunInfo } from '../../protocol/runs/runInfo.ts';
import type { Context } from '../context.ts';
import { uriOf } from '../machines/machineUri.ts';
import { readText } from '../machines/readText.ts';
import { addressThere, where } from '../machines/there.ts';
import { chooseRun } from '../runs/chooseRun.ts';
import { withLowerRate } from '../runs/lowerRate.ts';
import { newConfig } from './newConfig.ts';

const anyRun = { fits: () => true, none: l10n.t('No runs yet. "UniMiSS: Start Pre-training" starts one.') };

/** Commands about the files of a run: its configuration, and where it lies. */
export function runFileCommands(ctx: Context): Record<string, (given?: unknown) => Promise<void>> {
  const choose = (given: unknown, title: string) => chooseRun(ctx, given, { title, ...anyRun });
  return {
    async 'unimiss.openConfiguration'(given) {
      const run = await choose(given, l10n.t('Open Configuration'));
      if (run) await commands.executeCommand('vscode.open', uriOf(await configOf(ctx, run)));
    },
    async 'unimiss.duplicateConfiguration'(given) {
      const run = await choose(given, l10n.t('Duplicate as New Configuration'));
      if (run) await duplicateConfiguration(ctx, run);
    },
    /** A button of the panel; not in menus. */
    async 'unimiss.duplicateWithLowerRate'(given) {
      const run = await choose(given, l10n.t('New Run with Lower Learning Rate'));
      if (run) await duplicateConfiguration(ctx, run, withLowerRate);
    },
    /** As above, for the image that a warning or a preview is about. */
    async 'unimiss.openImageOfRun'(given) {
      const run = await choose(given, l10n.t('Open Image'));
      if (!run || !isObject(given) || typeof given.image !== 'string') return;
      const { file } = await ctx.daemon.request(runImage, { run: run.folder, image: given.image });
      await commands.executeCommand('unimiss.openViewer', uriOf(addressThere(where(ctx, run), file)));
    },
    async 'unimiss.copyRunName'(given) {
      const run = await choose(given, l10n.t('Copy Name'));
      if (run) await env.clipboard.writeText(run.id);
    },
    async 'unimiss.copyRunPath'(given) {
      const run = await choose(given, l10n.t('Copy Path'));
      if (run) await env.clipboard.writeText(run.folder);
    },
  };
}

/**
 * A new configuration file with the settings of a run, open in the editor. The run's own file stays as it is.
 * @param change of the text, given the run's settings with every choice made
 */
export async function duplicateConfiguration(
  ctx: Context,
  run: RunInfo,
  change: (text: string, resolved: unknown) => string = (text) => text,
): Promise<void> {
  const config = await configOf(ctx, run);
  const [text, resolved] = await Promise.all(
    [config, config.replace(/[^/]*$/, 'config.resolved.json')].map((file) => read(file)),
  );
  if (text === undefined || resolved === undefined) return;
  const settings: unknown = JSON.parse(resolved);
  await newConfig(run.name, change(withAbsolutePaths(text, settings), settings));
}

/** The file of a run's configuration, or its address on the machine of the run. */
async function configOf(ctx: Context, run: RunInfo): Promise<string> {
  const { config } = await ctx.daemon.request(runDetails, { run: run.folder });
  return addressThere(where(ctx, run), config);
}

async function read(file: string): Promise<string> {
  return readText(file).catch((cause) => {
    throw new UnimissError('run', l10n.t('cannot be read: {0}', messageOf(cause)), { place: file, cause });
  });
}
