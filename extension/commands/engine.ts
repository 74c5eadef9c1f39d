import { ProgressLocation, window } from 'vscode';
import type { EngineDevice } from '../../protocol/config/devices.ts';
import { engineDoctor, engineInfoRequest, engineInstall } from '../../protocol/daemon/messages.ts';
import type { ResultOf } from '../../protocol/daemon/rpc.ts';
import { forEditor } from '../../protocol/editorWords.ts';
import { UnimissError } from '../../protocol/errors.ts';
import { humanBytes } from '../../protocol/words.ts';
import type { Context } from '../context.ts';
import { withProgress } from '../withProgress.ts';

type EngineInfo = ResultOf<typeof engineInfoRequest>;

const titles: Record<EngineDevice, string> = {
  cpu: 'CPU',
  cuda: 'CUDA',
  'pjrt:cpu': 'XLA on the processor (pjrt:cpu)',
  'pjrt:cuda': 'XLA on NVIDIA GPUs (pjrt:cuda)',
  'pjrt:rocm': 'XLA on AMD GPUs (pjrt:rocm)',
  'pjrt:oneapi': 'XLA on Intel GPUs (pjrt:oneapi)',
  'pjrt:metal': 'XLA on Apple GPUs (pjrt:metal)',
};

/** What computes on a device. */
const engineFor = (device: EngineDevice): string => (device.startsWith('pjrt:') ? 'The PJRT plugin' : 'TensorFlow');

/** Commands about what computes: TensorFlow and plugins of PJRT. */
export function engineCommands(ctx: Context): Record<string, () => Promise<void>> {
  return {
    async 'unimiss.installEngine'() {
      const info = await ctx.daemon.request(engineInfoRequest, {});
      const device = await window.showQuickPick(builds(info), {
        title: `Install TensorFlow ${info.pinned ?? ''}`,
        placeHolder: 'Which processor should TensorFlow use?',
      });
      if (!device) return;
      const version = await install(ctx, device.device);
      void window.showInformationMessage(`${engineFor(device.device)} ${version ?? ''} is ready.`);
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
  const described = (device: EngineDevice, detail: string) => ({
    ...{ label: titles[device], detail, device },
    description: sizeText(sizes, device),
  });
  const found = gpus.length > 0 ? `For ${gpus.join(', ')}` : 'For NVIDIA GPUs; none was found on this machine';
  const cpu = described('cpu', 'For every machine');
  const cuda = described('cuda', found);
  const plugins = [
    described('pjrt:cuda', `A PJRT plugin. ${found}`),
    described('pjrt:cpu', 'A PJRT plugin of a third party, for tests; slower than TensorFlow'),
  ].filter(({ device }) => sizes[device]);
  return [...(gpus.length > 0 ? [cuda, cpu] : [cpu, cuda]), ...plugins];
}

/** `261 MiB to download, 814 MiB on disk`; empty where no such build exists for this processor. */
function sizeText(sizes: EngineInfo['sizes'], device: EngineDevice): string {
  const size = sizes[device];
  return size ? `${humanBytes(size.download)} to download, ${humanBytes(size.disk)} on disk` : '';
}

/**
 * Whether what computes on a device is there: offers to install it if it is missing; false if the user cancelled.
 * @throws UnimissError 'engine' where it cannot be installed
 */
export async function ensureEngine(ctx: Context, device: EngineDevice): Promise<boolean> {
  const { ready, problem, missing, pinned, sizes } = await ctx.daemon.request(engineInfoRequest, { device });
  if (ready) return true;
  if (pinned === undefined) throw new UnimissError('engine', problem ?? `nothing computes on ${device}`);
  const yes = 'Install';
  const why = problem !== undefined && !missing ? `${forEditor(problem)}\n\n` : '';
  const detail = `${why}UniMiSS downloads it once from the Python Package Index into your cache: ${sizeText(sizes, device)}.`;
  const what = device.startsWith('pjrt:') ? `the PJRT plugin ${pinned}` : `TensorFlow ${pinned}`;
  const answer = await window.showInformationMessage(
    `UniMiSS needs ${what} for ${titles[device]}. Install it now?`,
    { modal: true, detail },
    yes,
  );
  if (answer !== yes) return false;
  await install(ctx, device);
  return true;
}

/** Installs with progress in a notification, which can be cancelled. Throws UnimissError 'interrupted' if cancelled. */
async function install(ctx: Context, device: EngineDevice): Promise<string | undefined> {
  const title = device.startsWith('pjrt:') ? 'UniMiSS: installing a PJRT plugin' : 'UniMiSS: installing TensorFlow';
  const { version } = await withProgress(ctx.daemon, title, (workDoneToken, cancelled) =>
    ctx.daemon.request(engineInstall, { device, workDoneToken }, cancelled),
  );
  ctx.engineChanged.fire();
  return version;
}
