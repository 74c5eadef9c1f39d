import { l10n, ProgressLocation, window } from 'vscode';
import { type EngineDevice, isPluginDevice } from '../../protocol/config/devices.ts';
import { engineDoctor, engineInfoRequest, engineInstall } from '../../protocol/daemon/messages.ts';
import type { ResultOf } from '../../protocol/daemon/rpc.ts';
import { forEditor } from '../../protocol/editorWords.ts';
import { UnimissError } from '../../protocol/errors.ts';
import { humanBytes } from '../../protocol/words.ts';
import type { Context, ContextAt } from '../context.ts';
import type { Machine } from '../machines/machine.ts';
import { byMachine } from '../machines/there.ts';
import { notify } from '../notify.ts';
import { withRemedies } from '../remedies.ts';
import { withProgress } from '../withProgress.ts';

type EngineInfo = ResultOf<typeof engineInfoRequest>;

const titles: Record<EngineDevice, string> = {
  cpu: 'CPU',
  cuda: 'CUDA',
  'pjrt:cpu': l10n.t('XLA on the processor (pjrt:cpu)'),
  'pjrt:cuda': l10n.t('XLA on NVIDIA GPUs (pjrt:cuda)'),
  'pjrt:rocm': l10n.t('XLA on AMD GPUs (pjrt:rocm)'),
  'pjrt:oneapi': l10n.t('XLA on Intel GPUs (pjrt:oneapi)'),
  'pjrt:metal': l10n.t('XLA on Apple GPUs (pjrt:metal)'),
};

/** What computes on a device. */
const engineFor = (device: EngineDevice): string => (isPluginDevice(device) ? l10n.t('The PJRT plugin') : 'TensorFlow');

/** Commands about what computes: TensorFlow and plugins of PJRT. */
export function engineCommands(ctx: Context): Record<string, () => Promise<void>> {
  return {
    async 'unimiss.installEngine'() {
      const info = await ctx.daemon.request(engineInfoRequest, {});
      const device = await window.showQuickPick(builds(info), {
        title: l10n.t('Install TensorFlow {0}', info.pinned ?? ''),
        placeHolder: l10n.t('Which processor should TensorFlow use?'),
      });
      if (!device) return;
      const version = await install(ctx, device.device);
      void notify('info', l10n.t('{0} {1} is ready.', engineFor(device.device), version ?? ''));
    },
    async 'unimiss.engineDoctor'() {
      const { text } = await window.withProgress(
        { location: ProgressLocation.Window, title: l10n.t('UniMiSS: checking the installation') },
        () => ctx.daemon.request(engineDoctor, {}),
      );
      await ctx.reports.show(l10n.t('UniMiSS Installation'), text);
    },
  };
}

/** The builds to choose from; that for the machine's GPUs first. */
export function builds({ gpus, sizes }: EngineInfo) {
  const described = (device: EngineDevice, detail: string) => ({
    ...{ label: titles[device], detail, device },
    description: sizeText(sizes, device),
  });
  const found = gpus.length > 0 ? l10n.t('For {0}', gpus.join(', ')) : l10n.t('For NVIDIA GPUs; none was found');
  const cpu = described('cpu', l10n.t('For every machine'));
  const cuda = described('cuda', found);
  const plugins = [
    described('pjrt:cuda', l10n.t('A PJRT plugin. {0}', found)),
    described('pjrt:cpu', l10n.t('A PJRT plugin of a third party, for tests; slower than TensorFlow')),
  ].filter(({ device }) => sizes[device]);
  return [...(gpus.length > 0 ? [cuda, cpu] : [cpu, cuda]), ...plugins];
}

/** `261 MiB to download, 814 MiB on disk`; empty where no such build exists for this processor. */
function sizeText(sizes: EngineInfo['sizes'], device: EngineDevice): string {
  const size = sizes[device];
  return size ? l10n.t('{0} to download, {1} on disk', humanBytes(size.download), humanBytes(size.disk)) : '';
}

/**
 * Whether what computes on a device is there: offers to install it if it is missing; false if the user cancelled.
 * @throws UnimissError 'engine' where it cannot be installed
 */
export async function ensureEngine(ctx: ContextAt, device: EngineDevice): Promise<boolean> {
  const { ready, problem, missing, pinned, sizes } = await ctx.daemon.request(engineInfoRequest, { device });
  if (ready) return true;
  if (pinned === undefined) throw new UnimissError('engine', problem ?? l10n.t('no engine supports {0}', device));
  const yes = l10n.t('Install');
  const { machine: host } = ctx.daemon;
  const size = sizeText(sizes, device);
  const how = byMachine(
    host,
    l10n.t('UniMiSS downloads it once from the Python Package Index into your cache: {0}.', size),
    (machine) =>
      l10n.t('UniMiSS downloads it once from the Python Package Index into your cache on {0}: {1}.', machine, size),
  );
  const detail = problem !== undefined && !missing ? `${forEditor(problem)}\n\n${how}` : how;
  const what = isPluginDevice(device) ? l10n.t('the PJRT plugin {0}', pinned) : l10n.t('TensorFlow {0}', pinned);
  const answer = await window.showInformationMessage(
    byMachine(host, l10n.t('UniMiSS needs {0} for {1}. Install it now?', what, titles[device]), (machine) =>
      l10n.t('UniMiSS needs {0} for {1} on {2}. Install it now?', what, titles[device], machine),
    ),
    { modal: true, detail },
    yes,
  );
  if (answer !== yes) return false;
  await install(ctx, device);
  return true;
}

/** Installs with progress in a notification, which can be cancelled. Throws UnimissError 'interrupted' if cancelled. */
export async function install(ctx: ContextAt, device: EngineDevice): Promise<string | undefined> {
  try {
    return await installThere(ctx, device);
  } catch (error) {
    const machine = ctx.machines.get(ctx.daemon.machine ?? '');
    // It reaches no package index, or has no pip: this machine may.
    const brought = device === 'cpu' || device === 'cuda';
    if (!machine || !brought || !(error instanceof UnimissError) || error.code !== 'engine') throw error;
    const bring = async () => {
      await bringEngine(machine, device);
      const version = await installThere(ctx, device);
      void notify('info', l10n.t('TensorFlow {0} is ready on {1}.', version ?? '', machine.host));
    };
    throw withRemedies(error, [{ title: l10n.t('Bring It from Here'), run: bring }]);
  }
}

async function bringEngine(machine: Machine, device: 'cpu' | 'cuda'): Promise<void> {
  const title = l10n.t('UniMiSS: bringing TensorFlow to {0}', machine.host);
  await window.withProgress(
    { location: ProgressLocation.Notification, title, cancellable: true },
    async (progress, cancelled) => {
      const abort = new AbortController();
      cancelled.onCancellationRequested(() => abort.abort());
      await machine.bringEngine(device, (message) => progress.report({ message }), abort.signal);
    },
  );
}

async function installThere(ctx: ContextAt, device: EngineDevice): Promise<string | undefined> {
  const what = isPluginDevice(device) ? l10n.t('a PJRT plugin') : 'TensorFlow';
  const { version } = await withProgress(
    ctx.daemon,
    byMachine(ctx.daemon.machine, l10n.t('UniMiSS: installing {0}', what), (machine) =>
      l10n.t('UniMiSS: installing {0} on {1}', what, machine),
    ),
    (workDoneToken, cancelled) => ctx.daemon.request(engineInstall, { device, workDoneToken }, cancelled),
  );
  if (ctx.daemon.machine === undefined) ctx.engineChanged.fire();
  return version;
}
