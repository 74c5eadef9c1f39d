import { makeConfig } from '../../../protocol/config/makeConfig.ts';
import { configCheck, configMake } from '../../../protocol/config/messages.ts';
import { checkConfig } from '../../../protocol/config/parseConfig.ts';
import { engineDoctor, engineInfoRequest, engineInstall } from '../../../protocol/daemon/engineMessages.ts';
import { humanBytes } from '../../../protocol/words.ts';
import {
  detectGpus,
  doctor,
  doctorText,
  engineInfo,
  engineInfoText,
  installEngine,
  releaseSizes,
} from '../../engine/install/index.ts';
import { kindsOf } from '../../runs/start/task.ts';
import { type Handler, handle } from '../wire/handler.ts';
import type { Services } from './services.ts';
import { WorkDone } from './workDone.ts';

/** TensorFlow and configurations: requests that need no run. */
export function engineHandlers({ tasks }: Pick<Services, 'tasks'>): Handler[] {
  const kinds = kindsOf(tasks);
  return [
    handle(engineInfoRequest, async () => {
      const [info, { gpus }] = await Promise.all([engineInfo(), detectGpus()]);
      const { used, problem, missing, pinned } = info;
      return {
        text: engineInfoText(info),
        ready: used !== undefined,
        pinned,
        gpus: gpus.map((gpu) => gpu.name),
        ...(problem !== undefined && { problem }),
        ...(missing && { missing }),
        sizes: releaseSizes(process.arch),
      };
    }),
    handle(engineDoctor, async () => ({ text: doctorText(await doctor()) })),
    handle(engineInstall, async ({ device, allowCpu, workDoneToken }, { send, signal }) => {
      const progress = new WorkDone(send, workDoneToken);
      progress.begin('Installing TensorFlow');
      try {
        const files = await installEngine({
          device,
          allowCpu,
          signal,
          onProgress: ({ message, done, total }) => progress.report(message, done, total, humanBytes),
        });
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
