import { dirname } from 'node:path';
import { isPluginDevice, type PluginDevice } from '../../../protocol/config/devices.ts';
import { makeConfig } from '../../../protocol/config/makeConfig.ts';
import { configCheck, configMake } from '../../../protocol/config/messages.ts';
import { checkConfig } from '../../../protocol/config/parseConfig.ts';
import {
  engineDoctor,
  engineInfoRequest,
  engineInstall,
  engineWheels,
} from '../../../protocol/daemon/engineMessages.ts';
import { messageOf, UnimissError } from '../../../protocol/errors.ts';
import { humanBytes } from '../../../protocol/words.ts';
import {
  detectGpus,
  engineInfo,
  engineInfoText,
  findPlugin,
  type InstallOptions,
  installEngine,
  installPlugin,
  missingWheels,
  pinnedPlugin,
  pluginSizes,
  releaseSizes,
} from '../../engine/install/index.ts';
import { kindsOf } from '../../runs/start/task.ts';
import type { TrainerCommand } from '../../runs/supervise/command.ts';
import { type Handler, handle } from '../wire/handler.ts';
import { installationText } from './installation.ts';
import type { Services } from './services.ts';
import { WorkDone } from './workDone.ts';

/**
 * TensorFlow and configurations: requests that need no run.
 * @param report prints the report of the installation
 */
export function engineHandlers({ tasks }: Pick<Services, 'tasks'>, report?: TrainerCommand): Handler[] {
  const kinds = kindsOf(tasks);
  return [
    handle(engineInfoRequest, async ({ device }) => {
      const [info, { gpus }] = await Promise.all([engineInfo(), detectGpus()]);
      const { used, problem, missing, pinned } = info;
      const tensorflow = {
        ready: used !== undefined,
        pinned,
        ...(problem !== undefined && { problem }),
        ...(missing && { missing }),
      };
      return {
        text: engineInfoText(info),
        gpus: gpus.map((gpu) => gpu.name),
        sizes: { ...releaseSizes(process.arch), ...pluginSizes(process.arch) },
        ...(isPluginDevice(device) ? await pluginState(device) : tensorflow),
      };
    }),
    handle(engineDoctor, async (_, { signal }) => ({ text: await installationText(report, { signal }) })),
    handle(engineWheels, async ({ device }) => {
      const { wheels, ...rest } = await missingWheels(device);
      return { ...rest, wheels: wheels.map(({ name, version, sha256, bytes }) => ({ name, version, sha256, bytes })) };
    }),
    handle(engineInstall, async ({ device, allowCpu, workDoneToken }, { send, signal }) => {
      const progress = new WorkDone(send, workDoneToken);
      const plugin = isPluginDevice(device);
      progress.begin(plugin ? 'Installing a plugin of PJRT' : 'Installing TensorFlow');
      const options: InstallOptions = {
        signal,
        onProgress: ({ message, done, total }) => progress.report(message, done, total, humanBytes),
      };
      try {
        if (plugin) {
          const { file, version } = await installPlugin(device, { allowCpu, ...options });
          return { folder: dirname(file), ...(version !== undefined && { version }) };
        }
        const files = await installEngine({ device, allowCpu, ...options });
        return { folder: files.folder, ...(files.version !== undefined && { version: files.version }) };
      } finally {
        progress.end();
      }
    }),
    handle(configCheck, ({ text }) => {
      const { problems, notices } = checkConfig(text, kinds);
      return { problems, notices };
    }),
    handle(configMake, (choices) => ({ text: makeConfig(choices, kinds) })),
  ];
}

/** Whether there is a plugin for a device, as `unimiss/engine/info` says it. */
async function pluginState(device: PluginDevice) {
  const pinned = pinnedPlugin(device);
  const version = pinned === undefined ? {} : { pinned };
  try {
    if (await findPlugin(device)) return { ready: true, ...version };
  } catch (error) {
    if (!(error instanceof UnimissError)) throw error;
    return { ready: false, problem: messageOf(error), ...version };
  }
  const command = `unimiss engine install --device ${device}`;
  const how = pinned === undefined ? 'set UNIMISS_PJRT to the absolute path of one' : `run \`${command}\``;
  return { ready: false, missing: true, problem: `No plugin of PJRT for ${device} is installed: ${how}`, ...version };
}
