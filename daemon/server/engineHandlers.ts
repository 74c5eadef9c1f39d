import { configCheck, configMake } from '../../protocol/configMessages.ts';
import { engineDoctor, engineInfoRequest, engineInstall } from '../../protocol/engineMessages.ts';
import { progressNotification } from '../../protocol/lifecycleMessages.ts';
import { checkConfig } from '../../protocol/parseConfig.ts';
import type { ParamsOf } from '../../protocol/rpc.ts';
import {
  detectGpus,
  doctor,
  doctorText,
  engineInfo,
  engineInfoText,
  humanBytes,
  type InstallProgress,
  installEngine,
} from '../engine/install/index.ts';
import { configForFolders } from './configForFolders.ts';
import { type Handler, handle } from './handlers.ts';
import type { Send } from './metricsSubscription.ts';

type ProgressValue = ParamsOf<typeof progressNotification>['value'];

/** TensorFlow and configurations: what needs no run. */
export function engineHandlers(): Handler[] {
  return [
    handle(engineInfoRequest, async () => {
      const [info, { gpus }] = await Promise.all([engineInfo(), detectGpus()]);
      const { used, problem, pinned } = info;
      return {
        text: engineInfoText(info),
        ready: used !== undefined,
        pinned,
        gpus: gpus.map((gpu) => gpu.name),
        ...(problem !== undefined && { problem }),
      };
    }),
    handle(engineDoctor, async () => ({ text: doctorText(await doctor()) })),
    handle(engineInstall, async ({ device, allowCpu, workDoneToken }, { send, signal }) => {
      const progress = new WorkDone(send, workDoneToken);
      progress.begin('Installing TensorFlow');
      try {
        const files = await installEngine({ device, allowCpu, signal, onProgress: (now) => progress.report(now) });
        return { folder: files.folder, ...(files.version !== undefined && { version: files.version }) };
      } finally {
        progress.end();
      }
    }),
    handle(configCheck, ({ text }) => ({ problems: checkConfig(text).problems })),
    handle(configMake, (folders) => ({ text: configForFolders(folders) })),
  ];
}

/** `$/progress` of one request, where the client gave a token. One report is under way at a time; the others are left out. */
class WorkDone {
  private sending = false;

  constructor(
    private readonly send: Send,
    private readonly token: string | number | undefined,
  ) {}

  begin(title: string): void {
    this.tell({ kind: 'begin', title, cancellable: true, percentage: 0 });
  }

  report({ message, done, total }: InstallProgress): void {
    if (this.sending) return;
    const share = done !== undefined && total ? { percentage: Math.min(100, (100 * done) / total) } : {};
    const bytes = done !== undefined && total ? ` ${humanBytes(done)} of ${humanBytes(total)}` : '';
    this.sending = true;
    this.tell({ kind: 'report', message: `${message}${bytes}`, ...share }).finally(() => {
      this.sending = false;
    });
  }

  end(): void {
    this.tell({ kind: 'end' });
  }

  /** A client that is gone hears nothing; its request is cancelled by that. */
  private async tell(value: ProgressValue): Promise<void> {
    if (this.token !== undefined) await this.send(progressNotification, { token: this.token, value }).catch(() => {});
  }
}
