import type { Worker } from 'node:worker_threads';
import { messageOf } from '../../../../protocol/errors.ts';
import { startThread } from '../../../../protocol/threads/startThread.ts';
import { threadFile } from '../../../files/threadFile.ts';
import { imageError } from '../imageError.ts';
import type { ItkAnswer, ItkImage, ItkTask } from './itkTask.ts';

/** Runs ITK's pipelines one after the other. */
export interface Itk {
  /**
   * @param path the image that a failure is about
   * @param bytes of the voxels, for the time that is allowed
   * @throws UnimissError('data') naming the image: the pipeline failed, took too long, or ran out of memory
   */
  run(path: string, task: ItkTask, bytes: number): Promise<readonly unknown[]>;
}

/** Time for any task, and for each MiB of voxels in addition: many times what a slow machine needs. */
const baseMs = 60_000;
const msPerMiB = 1_000;
/**
 * A machine that is busy with other work gives this process little of its time. So what counts is the time of the processors that the
 * process got, at most the time of the clock; and of that, so many times the limit at most.
 */
const mostTimes = 20;
/** How often the time is looked at, ms. */
const lookEvery = 1_000;

/**
 * Gives `use` a thread with ITK's pipelines, and ends the thread afterwards, so that its memory is free again.
 * @param timeLimit ms of processor time for a task with so many bytes of voxels; default: a minute and a second a MiB
 */
export async function withItk<T>(
  use: (itk: Itk) => Promise<T>,
  timeLimit = (bytes: number) => baseMs + (msPerMiB * bytes) / 2 ** 20,
): Promise<T> {
  const thread = new ItkThread(timeLimit);
  try {
    return await use(thread);
  } finally {
    await thread.close();
  }
}

class ItkThread implements Itk {
  private worker: Worker | undefined;

  constructor(private readonly timeLimit: (bytes: number) => number) {}

  async run(path: string, task: ItkTask, bytes: number): Promise<readonly unknown[]> {
    const answer = await this.ask(path, task, this.timeLimit(bytes));
    if ('results' in answer) return answer.results;
    throw imageError(path, 'cannot be decoded: its data are damaged, or of a kind that is not supported', {
      remedy: 'Export or copy it again, or convert it to .nii.gz with the program that wrote it.',
      cause: new Error(`${task.pipeline}: ${answer.failed}`),
    });
  }

  async close(): Promise<void> {
    const { worker } = this;
    this.worker = undefined;
    await worker?.terminate();
  }

  private ask(path: string, task: ItkTask, limitMs: number): Promise<ItkAnswer> {
    // What pipelines print is not for people; their outputs are memory that threads share, and not copied.
    this.worker ??= startThread(threadFile('itk-worker'), { stdout: true, stderr: true });
    const { worker } = this;
    worker.stdout.resume();
    worker.stderr.resume();
    return new Promise<ItkAnswer>((resolve, reject) => {
      const [clock, processor] = [performance.now(), process.cpuUsage()];
      const timer = setInterval(
        () => {
          const passed = performance.now() - clock;
          const { user, system } = process.cpuUsage(processor);
          if (Math.min(passed, (user + system) / 1000) < limitMs && passed < mostTimes * limitMs) return;
          const seconds = Math.round(limitMs / 1000);
          end(() => reject(imageError(path, `could not be decoded within ${seconds} s, so that it was stopped`)));
          void this.close();
        },
        Math.min(lookEvery, limitMs),
      );
      const died = (reason: string, cause?: unknown) =>
        end(() => {
          this.worker = undefined;
          const what = `could not be decoded: its reader ended (${reason}), perhaps for lack of memory`;
          reject(imageError(path, what, { cause }));
        });
      const onError = (error: unknown) => died(messageOf(error), error);
      const onExit = (code: number) => died(`exit code ${code}`);
      const onMessage = (answer: ItkAnswer) => end(() => resolve(answer));
      const end = (settle: () => void) => {
        clearInterval(timer);
        worker.off('message', onMessage).off('error', onError).off('exit', onExit);
        settle();
      };
      worker.on('message', onMessage).on('error', onError).on('exit', onExit);
      worker.postMessage(task);
    });
  }
}

/** Whether a result of a pipeline is an image with so many voxels of one number each. */
export function isImage(result: unknown, voxels: number): result is ItkImage {
  const image = result as ItkImage | undefined;
  return image?.imageType !== undefined && image.data?.length === voxels;
}
