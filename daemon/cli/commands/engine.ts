import { Command, Option } from 'commander';
import {
  type EngineDevice,
  engineDevices,
  isPluginDevice,
  type PluginDevice,
} from '../../../protocol/config/devices.ts';
import { messageOf, UnimissError } from '../../../protocol/errors.ts';
import { humanBytes } from '../../../protocol/words.ts';
import { type DeviceMemory, describePlugin, openEngine } from '../../engine/index.ts';
import {
  doctor,
  doctorText,
  engineInfo,
  engineInfoText,
  findPlugins,
  type InstallProgress,
  installEngine,
  installPlugin,
  locateEngine,
  type PluginFile,
  tidied,
} from '../../engine/install/index.ts';
import { exitCodes } from '../terminal/exitCodes.ts';
import { interruptSignal } from '../terminal/interrupt.ts';
import { Reporter } from '../terminal/reporter.ts';

const deviceOption = () =>
  new Option('--device <device>', 'device to compute on, as engine.device in a configuration')
    .choices(engineDevices)
    .default('cpu');

/** `unimiss engine install | info | doctor` */
export function engineCommand(): Command {
  const engine = new Command('engine').description(
    'Install or check the library that computes: TensorFlow, or a PJRT plugin.',
  );
  engine
    .command('install')
    .description(
      'Download TensorFlow, or a PJRT plugin, with pip into the cache of the user. Does nothing if it is installed already.',
    )
    .addOption(deviceOption())
    .option(
      '--allow-cpu',
      'if no GPU is usable: with --device cuda install the CPU build, with pjrt:cuda the plugin all the same',
    )
    .action(async ({ device, allowCpu }: { device: EngineDevice; allowCpu?: boolean }, command: Command) => {
      const reporter = Reporter.of(command);
      const options = {
        signal: interruptedInstallation(),
        onProgress: (p: InstallProgress) => reporter.progress(progressText(p), p.stage === 'done'),
      };
      if (isPluginDevice(device)) {
        const plugin = await installPlugin(device, { allowCpu, ...options });
        reporter.line(`The plugin ${plugin.version ?? ''} (${device}) is ${plugin.file}`);
        reporter.record(plugin);
        return;
      }
      const files = await installEngine({ device, allowCpu, ...options });
      reporter.line(`TensorFlow ${files.version ?? ''} (${files.device ?? 'named'}) is at ${files.folder}`);
      reporter.record(files);
    });
  engine
    .command('info')
    .description('Show what is installed, where, and which devices it finds. Exit code 5 if no TensorFlow is usable.')
    .addOption(deviceOption())
    .action(async ({ device }: { device: EngineDevice }, command: Command) => {
      const reporter = Reporter.of(command);
      const info = await engineInfo();
      reporter.line(engineInfoText(info));
      if (!info.used && !isPluginDevice(device)) {
        reporter.record(info);
        process.exitCode = exitCodes.engine.code;
        return;
      }
      const { library, preload } = await locateEngine(device);
      const opened = await openEngine({ library, device, preload });
      const devices = opened.devices.map((d) => d.name.replace(/.*device:/, '')).join(', ');
      reporter.line(`${opened.title} finds: ${devices}${memoryText(opened.memory)}`);
      reporter.record({ ...info, version: opened.version, devices: opened.devices });
    });
  engine
    .command('doctor')
    .description('Show everything a bug report needs: machine, TensorFlow, GPUs, cache. Contains no user names.')
    .action(async (_: unknown, command: Command) => {
      const reporter = Reporter.of(command);
      const report = await doctor();
      reporter.line(doctorText(report));
      const plugins: Record<string, string> = {};
      for (const [device, plugin] of await findPlugins()) {
        const what = tidied(pluginText(device, plugin));
        plugins[device] = what;
        reporter.line(`${device.padEnd(12)} ${what}`);
      }
      reporter.record({ ...report, plugins });
    });
  return engine;
}

/** What is known of a plugin, on one line: its wheel, and what it says of itself when it is loaded. */
function pluginText(device: PluginDevice | 'pjrt', plugin: PluginFile | UnimissError): string {
  if (plugin instanceof UnimissError) return `cannot be used: ${messageOf(plugin).replaceAll('\n', ' ')}`;
  const from = plugin.version ? `version ${plugin.version}` : 'from UNIMISS_PJRT';
  return `${from}; ${describePlugin(plugin.file, device === 'pjrt' ? undefined : device)}`;
}

/** `; memory in use 1.2 GiB of 80 GiB`, where the engine tells. */
function memoryText(memory: DeviceMemory | undefined): string {
  if (!memory) return '';
  return `; memory in use ${humanBytes(memory.inUse)}${memory.limit ? ` of ${humanBytes(memory.limit)}` : ''}`;
}

/** Of an installation, at the first Ctrl-C. */
export function interruptedInstallation(): AbortSignal {
  return interruptSignal('Ended at once. The next installation keeps what was downloaded completely.');
}

/** `Downloading tensorflow-cpu … 120 MiB of 261 MiB (46 %)` */
export function progressText({ message, done, total }: InstallProgress): string {
  if (done === undefined || !total) return message;
  return `${message} ${humanBytes(done)} of ${humanBytes(total)} (${Math.floor((100 * done) / total)} %)`;
}
