import { availableParallelism } from 'node:os';
import type { Worker } from 'node:worker_threads';
import { messageOf, UnimissError } from '../../../protocol/errors.ts';
import type { ClassInCase } from '../../../protocol/evaluation/segmentation.ts';
import { startThread } from '../../../protocol/threads/startThread.ts';
import { threadFile } from '../../files/threadFile.ts';
import { describeClass, type MeasureOptions, measureVoxels, statusOf, type VoxelMeasures } from './classInCase.ts';
import { type ClassCounts, countClasses, type LabelPair } from './counts.ts';
import { type EvaluatedClass, type Grid, type Grid3, type LabelArray, toGrid3, unionBox } from './labelGrid.ts';

/** A class of a case to measure. The maps lie in shared memory, so that no thread copies them. */
export interface ThreadTask {
  readonly pair: LabelPair;
  readonly counts: ClassCounts;
  readonly values: readonly number[];
  readonly grid: Grid3;
  readonly options: MeasureOptions;
}
export type ThreadAnswer = { measures: VoxelMeasures; failed?: undefined } | { failed: string; measures?: undefined };

/** Below this many voxels in the boxes, starting threads costs more than it saves. */
const fewVoxels = 2_000_000;

/** Measures the classes of cases in worker threads, which start when the first large case comes. */
export class MetricThreads {
  private workers: Worker[] = [];

  /** @param threads 0: everything in the caller's thread */
  constructor(private readonly threads = availableParallelism()) {}

  /** As `measureClasses`. */
  async measure(
    pair: LabelPair,
    classes: readonly EvaluatedClass[],
    grid: Grid,
    options: MeasureOptions,
  ): Promise<ClassInCase[]> {
    const grid3 = toGrid3(grid);
    const counts = countClasses(pair, classes, grid3);
    const sizes = counts.map((own) => workOf(own, options));
    const total = sizes.reduce((a, b) => a + b, 0);
    const tasksOn = (maps: LabelPair) =>
      classes.map(({ values }, i): ThreadTask => ({ pair: maps, counts: counts[i]!, values, grid: grid3, options }));
    const found =
      this.threads < 1 || total < fewVoxels
        ? classes.map(({ values }, i) => measureVoxels(pair, counts[i]!, values, grid3, options))
        : await this.inThreads(tasksOn(shared(pair)), sizes);
    return classes.map((one, i) => describeClass(one, counts[i]!, found[i]!, grid3, options));
  }

  async close(): Promise<void> {
    const { workers } = this;
    this.workers = [];
    await Promise.all(workers.map((worker) => worker.terminate()));
  }

  /** The largest classes first, so that no thread ends with a large one alone. @param sizes by class, voxels to look at */
  private async inThreads(tasks: readonly ThreadTask[], sizes: readonly number[]): Promise<VoxelMeasures[]> {
    const found = new Array<VoxelMeasures>(tasks.length).fill({ surface: null, lesions: null });
    const queue = [...tasks.keys()].filter((i) => sizes[i]! > 0).sort((a, b) => sizes[b]! - sizes[a]!);
    while (this.workers.length < Math.min(this.threads, queue.length)) this.workers.push(startWorker());
    const work = async (worker: Worker) => {
      for (let i = queue.shift(); i !== undefined; i = queue.shift()) found[i] = await ask(worker, tasks[i]!);
    };
    try {
      await Promise.all(this.workers.map(work));
    } catch (error) {
      await this.close();
      throw error;
    }
    return found;
  }
}

/** Voxels that the measures of a class look at. */
function workOf(counts: ClassCounts, { lesions, convention }: MeasureOptions): number {
  const box = unionBox(counts.referenceBox, counts.predictedBox);
  const surface = statusOf(counts) === 'ok' && convention.surface !== null;
  return box && (surface || lesions) ? box.size[0] * box.size[1] * box.size[2] : 0;
}

function shared(pair: LabelPair): LabelPair {
  return { ...pair, reference: inSharedMemory(pair.reference), prediction: inSharedMemory(pair.prediction) };
}

function inSharedMemory(map: LabelArray): LabelArray {
  if (map.buffer instanceof SharedArrayBuffer) return map;
  const memory = new SharedArrayBuffer(map.byteLength);
  const copy =
    map instanceof Uint8Array
      ? new Uint8Array(memory)
      : map instanceof Int16Array
        ? new Int16Array(memory)
        : new Uint16Array(memory);
  copy.set(map);
  return copy;
}

function startWorker(): Worker {
  const worker = startThread(threadFile('metrics-worker'));
  worker.unref(); // only a task that is waited for keeps the process alive
  return worker;
}

function ask(worker: Worker, task: ThreadTask): Promise<VoxelMeasures> {
  return new Promise((resolve, reject) => {
    const died = (reason: string, cause?: unknown) =>
      reject(
        new UnimissError('internal', `a thread that computes metrics ended unexpectedly (${reason})`, {
          remedy: 'Evaluate again with fewer threads if memory ran out.',
          cause,
        }),
      );
    const onError = (error: unknown) => died(messageOf(error), error);
    const onExit = (code: number) => died(`exit code ${code}`);
    worker.ref();
    worker.once('error', onError);
    worker.once('exit', onExit);
    worker.once('message', ({ measures, failed }: ThreadAnswer) => {
      worker.off('error', onError);
      worker.off('exit', onExit);
      worker.unref();
      if (measures) resolve(measures);
      else reject(new UnimissError('internal', `computing metrics failed: ${failed}`));
    });
    worker.postMessage(task);
  });
}
