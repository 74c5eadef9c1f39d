import { Command, Option } from 'commander';
import { humanBytes } from '../../../protocol/words.ts';
import { openEngine } from '../../engine/index.ts';
import {
  type Device,
  doctor,
  doctorText,
  engineInfo,
  engineInfoText,
  type InstallProgress,
  installEngine,
  requireEngine,
} from '../../engine/install/index.ts';
import { exitCodes } from '../terminal/exitCodes.ts';
import { interruptSignal } from '../terminal/interrupt.ts';
import { Reporter } from '../terminal/reporter.ts';

const deviceOption = () =>
  new Option('--device <device>', 'device that TensorFlow uses').choices(['cpu', 'cuda']).default('cpu');

/** `unimiss engine install | info | doctor` */
export function engineCommand(): Command {
  const engine = new Command('engine').description('Install or inspect TensorFlow, which does the computation.');
  engine
    .command('install')
    .description(
      'Download the pinned TensorFlow with pip into the user cache. Does nothing if it is installed already.',
    )
    .addOption(deviceOption())
    .option('--allow-cpu', 'with --device cuda: install the CPU build if no GPU is usable')
    .action(async ({ device, allowCpu }: { device: Device; allowCpu?: boolean }, command: Command) => {
      const reporter = Reporter.of(command);
      const files = await installEngine({
        device,
        allowCpu,
        signal: interruptSignal(),
        onProgress: (p) => reporter.progress(progressText(p), p.stage === 'done'),
      });
      reporter.line(`TensorFlow ${files.version ?? ''} (${files.device ?? 'named'}) is at ${files.folder}`);
      reporter.record(files);
    });
  engine
    .command('info')
    .description(
      'Show what is installed, where, and which devices TensorFlow finds. Exit code 5 if no TensorFlow is usable.',
    )
    .addOption(deviceOption())
    .action(async ({ device }: { device: Device }, command: Command) => {
      const reporter = Reporter.of(command);
      const info = await engineInfo();
      reporter.line(engineInfoText(info));
      if (!info.used) {
        reporter.record(info);
        process.exitCode = exitCodes.engine.code;
        return;
      }
      const files = await requireEngine({ device });
      const opened = await openEngine({ library: files.folder, device, preload: files.cuda?.preload });
      reporter.line(
        `TensorFlow ${opened.version} finds: ${opened.devices.map((d) => d.name.replace(/.*device:/, '')).join(', ')}`,
      );
      reporter.record({ ...info, version: opened.version, devices: opened.devices });
    });
  engine
    .command('doctor')
    .description('Show everything a bug report needs: machine, TensorFlow, GPUs, cache. Contains no user names.')
    .action(async (_: unknown, command: Command) => {
      const reporter = Reporter.of(command);
      const report = await doctor();
      reporter.line(doctorText(report));
      reporter.record(report);
    });
  return engine;
}

/** `Downloading tensorflow-cpu … 120 MiB of 261 MiB (46 %)` */
export function progressText({ message, done, total }: InstallProgress): string {
  if (done === undefined || !total) return message;
  return `${message} ${humanBytes(done)} of ${humanBytes(total)} (${Math.floor((100 * done) / total)} %)`;
}
