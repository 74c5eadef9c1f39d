import type { Worker } from 'node:worker_threads';
import { type ErrorData, fromErrorData } from '../../../protocol/daemon/wireError.ts';
import { messageOf, UnimissError } from '../../../protocol/errors.ts';
import { startThread } from '../../../protocol/threads/startThread.ts';
import { threadFile } from '../../files/threadFile.ts';
import type { MakerSetup } from './makers.ts';

/** Makes one batch at a time. */
export interface BatchMaker<Task, Made> {
  make(task: Task): Promise<Made>;
  close(): Promise<void>;
}

/** A worker's answer to a task. */
export type WorkerAnswer<Made> = {
  made?: Made;
  failed?: ErrorData;
};

/** A worker thread that makes batches. If it dies, the present batch and all later ones fail with the reason. */
export class WorkerThread<Task, Made> implements BatchMaker<Task, Made> {
  private readonly worker: Worker;
  private waiting: { resolve: (made: Made) => void; reject: (error: Error) => void } | undefined;
  private dead: UnimissError | undefined;
  private closing = false;

  constructor(setup: MakerSetup) {
    this.worker = startThread(threadFile('loader-worker'), { workerData: setup });
    // Only a pending batch keeps the process alive.
    this.worker.unref();
    this.worker.on('message', (answer: WorkerAnswer<Made>) => this.onAnswer(answer));
    this.worker.on('error', (error) => this.die(messageOf(error), error));
    this.worker.on('exit', (code) => this.die(`exit code ${code}`));
  }

  make(task: Task): Promise<Made> {
    if (this.dead) return Promise.reject(this.dead);
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject };
      this.worker.ref();
      this.worker.postMessage(task);
    });
  }

  async close(): Promise<void> {
    this.closing = true;
    await this.worker.terminate();
  }

  private onAnswer({ made, failed }: WorkerAnswer<Made>): void {
    const { waiting } = this;
    this.waiting = undefined;
    this.worker.unref();
    if (made) waiting?.resolve(made);
    else if (failed) waiting?.reject(fromErrorData(failed));
  }

  private die(reason: string, cause?: unknown): void {
    this.dead ??= this.closing
      ? new UnimissError('interrupted', 'the loader was closed')
      : new UnimissError('internal', `a loader worker ended unexpectedly (${reason})`, {
          place: 'data.workers',
          remedy: 'Run again with `data.workers` = 0 to see where it happens, or with fewer workers if memory ran out.',
          cause,
        });
    this.waiting?.reject(this.dead);
    this.waiting = undefined;
  }
}
