import { rm } from 'node:fs/promises';
import { posix } from 'node:path';
import { l10n } from 'vscode';
import { attend, neighbours, runViews } from '../../protocol/daemon/messages.ts';
import { isObject } from '../../protocol/json.ts';
import { type Place, parseAddress } from '../../protocol/machines/address.ts';
import type { RunInfo } from '../../protocol/runs/runInfo.ts';
import type { Context } from '../context.ts';
import { addressOfUri } from '../machines/machineUri.ts';
import { folderThere, where } from '../machines/there.ts';
import { chooseRun } from '../runs/chooseRun.ts';
import { deviceOf } from '../runs/device.ts';
import { isPretraining } from '../runs/kinds.ts';
import { attentionFolder } from '../viewer/leftovers.ts';
import type { ViewerEditors } from '../viewer/viewerEditors.ts';
import { ViewerSession } from '../viewer/viewerSession.ts';
import { withProgress } from '../withProgress.ts';
import { ensureEngine } from './engine.ts';

/**
 * `unimiss.showViews`: what the network of a run sees of the image in the viewer. From the viewer, which says the run and the epoch of what
 * it shows already, or from the palette.
 */
export function showViewsCommands(
  ctx: Context,
  viewers: ViewerEditors,
): Record<string, (given?: unknown, again?: unknown) => Promise<void>> {
  return {
    async 'unimiss.showViews'(given, again) {
      const session = given instanceof ViewerSession ? given : viewers.current();
      const run = await runFor(ctx, session, again);
      if (!run) return;
      const epoch = isObject(again) && typeof again.epoch === 'number' ? again.epoch : 0;
      const { path: image } = placeOf(session);
      const { phase, views } = await ctx.daemon.request(runViews, { run: run.folder, image, epoch });
      const pictures = views.map(({ data, ...view }) => ({
        ...view,
        data: new Uint8Array(Buffer.from(data, 'base64')),
      }));
      session.showViews({ run: run.id, epoch, phase, views: pictures }, run.folder);
    },
    /** From the viewer: where the network that was chosen for the views looks. */
    async 'unimiss.attentionOfImage'(given, chosen) {
      const asked = await askedBy(ctx, given, chosen);
      if (!asked) return;
      const { run, session, there } = asked;
      const here = there.daemon.machine === undefined;
      const out = here
        ? attentionFolder(ctx.extension.globalStorageUri.fsPath, run.id)
        : posix.join(folderThere(run), 'attention');
      const { path: image } = placeOf(session);
      const { file, notices } = await withProgress(
        there.daemon,
        l10n.t('UniMiSS: looking with the network'),
        (workDoneToken, cancelled) =>
          there.daemon.request(attend, { run: run.folder, image, out, workDoneToken }, cancelled),
      );
      for (const notice of notices) ctx.output.info(notice);
      try {
        await session.document.addLayer(file, {
          added: false,
          title: l10n.t('attention of {0}', run.id),
          values: true,
        });
      } finally {
        if (here) await rm(file, { force: true });
      }
    },
    async 'unimiss.similarOfImage'(given, chosen) {
      const asked = await askedBy(ctx, given, chosen);
      if (!asked) return;
      const { run, session, there } = asked;
      const { path: image } = placeOf(session);
      const { neighbours: found, images } = await withProgress(
        there.daemon,
        l10n.t('UniMiSS: comparing with the images of {0}', run.id),
        (workDoneToken, cancelled) =>
          there.daemon.request(neighbours, { run: run.folder, image, workDoneToken }, cancelled),
      );
      session.showSimilar({ run: run.id, images, neighbours: found });
    },
  };
}

/** The editor that asks, the run of the views that it shows, and the run's machine, which has what computes. */
async function askedBy(ctx: Context, given: unknown, chosen: unknown) {
  if (!(given instanceof ViewerSession)) return undefined;
  const run = await runFor(ctx, given, chosen);
  if (!run) return undefined;
  const there = where(ctx, run);
  return (await ensureEngine(there, deviceOf(run))) ? { run, session: given, there } : undefined;
}

/** The run whose network looks: the chosen one, or one that the user is asked for. */
function runFor(ctx: Context, session: ViewerSession, chosen: unknown): Promise<RunInfo | undefined> {
  const none = l10n.t('No pre-training run yet. "UniMiSS: Start Pre-training" starts one.');
  return chooseRun(ctx, chosen, { title: l10n.t('What the Network Sees'), fits: besides(session), none });
}

/** The machine of an image, and its path there. */
function placeOf({ document }: ViewerSession): Place {
  return parseAddress(addressOfUri(document.uri));
}

/** Whether a run has a network that can look at an image: on the same machine. */
function besides(session: ViewerSession): (run: RunInfo) => boolean {
  const { machine } = placeOf(session);
  return (run) => isPretraining(run) && parseAddress(run.folder).machine === machine;
}
