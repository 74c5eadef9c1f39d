import { ProgressLocation, window } from 'vscode';
import { engineDoctor, engineInfoRequest, engineInstall } from '../../protocol/daemon/messages.ts';
import type { ResultOf } from '../../protocol/daemon/rpc.ts';
import { humanBytes } from '../../protocol/words.ts';
import type { Context } from '../context.ts';
import type { EngineDevice } from '../runs/device.ts';
import { withProgress } from '../withProgress.ts';

type EngineInfo = ResultOf<typeof engineInfoRequest>;

const titles: Record<EngineDevice, string> = { cpu: 'CPU', cuda: 'CUDA' };

/** Commands about TensorFlow. */
export function engineCommands(ctx: Context): Record<string, () => Promise<void>> {
  return {
    async 'unimiss.installEngine'() {
      const info = await ctx.daemon.request(engineInfoRequest, {});
      const device = await window.showQuickPick(builds(info), {
        title: `Install TensorFlow ${info.pinned}`,
        placeHolder: 'Which processor should TensorFlow use?',
      });
      if (!device) return;
      const version = await install(ctx, device.device);
      void window.showInformationMessage(`TensorFlow ${version ?? ''} is ready.`);
    },
    async 'unimiss.engineDoctor'() {
      const { text } = await window.withProgress(
        { location: ProgressLocation.Window, title: 'UniMiSS: checking the installation' },
        () => ctx.daemon.request(engineDoctor, {}),
      );
      await ctx.reports.show('UniMiSS Installation', text);
    },
  };
}

/** The builds to choose from; that for the machine's GPUs first. */
function builds({ gpus, sizes }: EngineInfo) {
  const all = [
    { label: titles.cpu, detail: 'For every machine', device: 'cpu' as const },
    {
      label: titles.cuda,
      detail: gpus.length > 0 ? `For ${gpus.join(', ')}` : 'For NVIDIA GPUs; none was found on this machine',
      device: 'cuda' as const,
    },
  ].map((build) => ({ ...build, description: sizeText(sizes, build.device) }));
  return gpus.length > 0 ? all.reverse() : all;
}

/** `261 MiB to download, 814 MiB on disk`; empty where no such build exists for this processor. */
function sizeText(sizes: EngineInfo['sizes'], device: EngineDevice): string {
  const size = sizes[device];
  return size ? `${humanBytes(size.download)} to download, ${humanBytes(size.disk)} on disk` : '';
}

/**
 * Whether TensorFlow is there: offers to install it if it is missing; false if the user cancelled.
 * @param device whose build to install
 */
export async function ensureEngine(ctx: Context, device: EngineDevice): Promise<boolean> {
  const { ready, problem, missing, pinned, sizes } = await ctx.daemon.request(engineInfoRequest, {});
  if (ready) return true;
  const yes = 'Install';
  const why = problem !== undefined && !missing ? `${problem}\n\n` : '';
  const detail = `${why}UniMiSS downloads it once from the Python Package Index into your cache: ${sizeText(sizes, device)}.`;
  const answer = await window.showInformationMessage(
    `UniMiSS needs TensorFlow ${pinned} for ${titles[device]}. Install it now?`,
    { modal: true, detail },
    yes,
  );
  if (answer !== yes) return false;
  await install(ctx, device);
  return true;
}

/** Installs with progress in a notification, which can be cancelled. Throws UnimissError 'interrupted' if cancelled. */
async function install(ctx: Context, device: EngineDevice): Promise<string | undefined> {
  const { version } = await withProgress(ctx.daemon, 'UniMiSS: installing TensorFlow', (workDoneToken, cancelled) =>
    ctx.daemon.request(engineInstall, { device, workDoneToken }, cancelled),
  );
  ctx.engineChanged.fire();
  return version;
}
