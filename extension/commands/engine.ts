import { ProgressLocation, window } from 'vscode';
import { engineDoctor, engineInfoRequest, engineInstall } from '../../protocol/daemon/messages.ts';
import type { Context } from '../context.ts';
import { withProgress } from '../withProgress.ts';

/** Commands about TensorFlow. */
export function engineCommands(ctx: Context): Record<string, () => Promise<void>> {
  return {
    async 'unimiss.installEngine'() {
      const device = await window.showQuickPick(
        [
          { label: 'CPU', description: 'for every machine: 261 MiB, 814 MiB on disk', device: 'cpu' as const },
          { label: 'CUDA', description: 'for NVIDIA GPUs: several GiB', device: 'cuda' as const },
        ],
        { title: 'Install TensorFlow', placeHolder: 'Which processor should TensorFlow use?' },
      );
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

/** Whether a run can start: offers to install TensorFlow if it is missing; false if the user cancelled. */
export async function ensureEngine(ctx: Context): Promise<boolean> {
  const { ready, problem, pinned } = await ctx.daemon.request(engineInfoRequest, {});
  if (ready) return true;
  const yes = 'Install';
  const detail = `${problem ? `${problem}\n\n` : ''}UniMiSS downloads it once from the Python Package Index into your cache: 261 MiB, 814 MiB on disk.`;
  const answer = await window.showInformationMessage(
    `Training needs TensorFlow ${pinned}. Install it now?`,
    { modal: true, detail },
    yes,
  );
  if (answer !== yes) return false;
  await install(ctx, 'cpu');
  return true;
}

/** Installs with progress in a notification, which can be cancelled. Throws UnimissError 'interrupted' if cancelled. */
async function install(ctx: Context, device: 'cpu' | 'cuda'): Promise<string | undefined> {
  const { version } = await withProgress(ctx.daemon, 'UniMiSS: installing TensorFlow', (workDoneToken, cancelled) =>
    ctx.daemon.request(engineInstall, { device, workDoneToken }, cancelled),
  );
  ctx.engineChanged.fire();
  return version;
}
