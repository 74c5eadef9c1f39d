import { totalmem } from 'node:os';
import { usesGpu } from '../../../protocol/config/devices.ts';
import type { ResolvedConfig } from '../../../protocol/config/index.ts';
import { type Concern, type Fix, type Forecast, namedUnreadable, type Phase } from '../../../protocol/runs/forecast.ts';
import { humanBytes } from '../../../protocol/words.ts';
import { knownMilliseconds } from '../../engine/index.ts';
import { freeBytes } from '../../engine/install/disk.ts';
import { privacyKey } from '../folder/privacy.ts';
import { measurementKey, measurementsFile } from '../start/executors.ts';
import { deviceName, findRunEngine, type RunEngineFiles, threadsOf } from '../start/findRunEngine.ts';
import { concerned, type Survey, type SurveyOptions } from '../start/survey.ts';
import { type Task, taskOf } from '../start/task.ts';
import { type Measured, measuredBefore } from './earlierRuns.ts';

/** Share of the memory above which a run is likely to fail. */
const tightMemory = 0.85;

export interface ForecastOptions extends SurveyOptions {
  /** Folder of runs. */
  readonly root: string;
  readonly tasks: readonly Task[];
  /** What is ignored in the configuration. */
  readonly notices?: readonly string[];
}

/**
 * What a run of a configuration would do on this machine. Reads the headers of its images and the records of earlier runs; loads
 * no TensorFlow. What would refuse the run is among the concerns.
 * @throws UnimissError 'interrupted' on `signal`
 */
export async function forecastOf(config: ResolvedConfig, options: ForecastOptions): Promise<Forecast> {
  const { root, tasks, notices = [], ...rest } = options;
  const task = taskOf(config, tasks);
  const [survey, engine, privacy] = await Promise.all([
    task.survey(config, rest),
    concerned('engine.device', () => findRunEngine(config.engine)),
    concerned('records.hidePaths', async () => (config.records.hidePaths ? privacyKey() : undefined)),
  ]);
  const found = 'value' in engine ? engine.value : undefined;
  const unknown = !found && usesGpu(config.engine.device);
  const device = unknown ? `GPU ${config.engine.gpu ?? 0}` : deviceName(found ?? { device: 'cpu' });
  const groups = survey.phases.map(({ group }) => group);
  const measured =
    groups.length === 0 ? undefined : await measuredBefore(root, { config, groups, device, task }, tasks);
  const phases = await Promise.all(
    survey.phases.map(async (phase) => ({
      ...phase,
      secondsPerStep: await secondsPerStep(phase, { config, survey, measured, device, found }),
    })),
  );
  const memory = memoryFor(survey, measured, found);
  const disk = await diskFor(config, survey, root);
  return {
    task: config.task,
    name: config.name,
    images: survey.images,
    unreadable: { count: survey.unreadable.length, first: survey.unreadable.slice(0, namedUnreadable) },
    skipped: survey.skipped,
    ...{ epochs: survey.epochs, steps: survey.steps },
    phases,
    device,
    time: timeFor(phases, survey, measured),
    memory,
    disk,
    concerns: sorted([
      ...survey.concerns,
      ...('concern' in engine ? [engine.concern] : []),
      ...(found?.notice ? [warning('engine.device', found.notice.replace(/\.$/, ''))] : []),
      ...('concern' in privacy ? [privacy.concern] : []),
      ...tooLarge(memory, survey),
      ...fullDisk(disk, root),
    ]),
    notices: [...notices],
  };
}

interface Known {
  readonly config: ResolvedConfig;
  readonly survey: Survey;
  readonly measured: Measured | undefined;
  readonly device: string;
  /** Undefined: TensorFlow or the GPU is missing. */
  readonly found: RunEngineFiles | undefined;
}

/** From an earlier run, else from a measurement of executors, else (on a processor) from the sizes of network and batch. */
async function secondsPerStep(
  { group }: Pick<Phase, 'group'>,
  { config, survey, measured, device, found }: Known,
): Promise<Phase['secondsPerStep']> {
  const before = measured?.secondsPerStep.get(group);
  if (before !== undefined) return { seconds: before, basis: 'measured' };
  const threads = threadsOf(config.engine);
  const { executor } = config.engine;
  if (group !== null && survey.executorKey) {
    const key = measurementKey(survey.executorKey(group), { threads, device });
    const known = (await knownMilliseconds(key, measurementsFile())) ?? {};
    const all = Object.values(known);
    const ms = executor === 'auto' ? (all.length > 0 ? Math.min(...all) : undefined) : known[executor];
    if (ms !== undefined) return { seconds: ms / 1000, basis: 'measured' };
  }
  if (usesGpu(found?.device ?? config.engine.device) || !survey.cost) return null;
  return { seconds: survey.cost.secondsPerStep(group, threads.intraOp), basis: 'estimated' };
}

function timeFor(
  phases: readonly Phase[],
  { seconds: limit }: Survey,
  measured: Measured | undefined,
): Forecast['time'] {
  let seconds = 0;
  let basis: 'measured' | 'estimated' = 'measured';
  for (const { secondsPerStep: each, steps } of phases) {
    if (each === null) return limit === undefined ? null : { seconds: limit, basis: 'estimated', from: 'train.hours' };
    seconds += each.seconds * steps;
    if (each.basis === 'estimated') basis = 'estimated';
  }
  if (phases.length === 0) return null;
  if (limit !== undefined && limit < seconds) return { seconds: limit, basis, from: 'train.hours' };
  const from =
    basis === 'estimated'
      ? 'the size of the network; no run has measured it on this machine yet'
      : measured
        ? `run ${measured.run}`
        : 'a measurement of this step on this machine';
  return { seconds, basis, from };
}

function memoryFor(
  { cost }: Survey,
  measured: Measured | undefined,
  found: RunEngineFiles | undefined,
): Forecast['memory'] {
  const gpu = found?.gpu;
  const available = gpu ? (gpu.memoryMiB === undefined ? null : gpu.memoryMiB * 2 ** 20) : machineMemory();
  // A run records the memory of its process, not that of the GPU.
  if (measured?.memory !== undefined && !gpu) return { bytes: measured.memory, available, basis: 'measured' };
  return cost ? { bytes: cost.memory, available, basis: 'estimated' } : null;
}

/** Memory that processes may use: a container's limit, if there is one. */
function machineMemory(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

/** Checkpoints at their largest: those that are kept, and one that is being written. */
async function diskFor({ checkpoint }: ResolvedConfig, { cost }: Survey, root: string): Promise<Forecast['disk']> {
  if (!cost) return null;
  const kept = checkpoint.keepLast + (checkpoint.keepBest ? 1 : 0) + 1;
  return { bytes: kept * cost.checkpoint, available: await freeBytes(root) };
}

function warning(field: string, message: string, remedy?: string, fix?: Fix): Concern {
  return { severity: 'warning', field, message, ...(remedy !== undefined && { remedy }), ...(fix && { fix }) };
}

function tooLarge(memory: Forecast['memory'], { cost }: Survey): Concern[] {
  if (!memory || memory.available === null || memory.bytes <= tightMemory * memory.available) return [];
  const has = memory.bytes > memory.available ? 'there are only' : 'there are';
  return [
    warning(
      cost?.smaller.field ?? '',
      `needs about ${humanBytes(memory.bytes)} of memory; ${has} ${humanBytes(memory.available)}`,
      cost?.smaller.remedy,
      // A measured peak falls as the estimate does.
      cost?.smaller.fix((tightMemory * memory.available * cost.memory) / memory.bytes),
    ),
  ];
}

function fullDisk(disk: Forecast['disk'], root: string): Concern[] {
  if (!disk || disk.bytes <= disk.available) return [];
  const needed = `checkpoints need up to ${humanBytes(disk.bytes)}, but ${humanBytes(disk.available)} are free in ${root}`;
  return [
    warning(
      'checkpoint.keepLast',
      needed,
      'Free some space, choose another folder for runs, or keep fewer checkpoints.',
    ),
  ];
}

/** Errors first; otherwise in the order given. */
function sorted(concerns: readonly Concern[]): Concern[] {
  const of = (severity: Concern['severity']) => concerns.filter((one) => one.severity === severity);
  return [...of('error'), ...of('warning')];
}
