import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { matchedArms } from '../../../protocol/compare/experiment.ts';
import { ofPhase } from '../../../protocol/config/pretrain/byPhase.ts';
import type { PretrainConfig } from '../../../protocol/config/pretrain/index.ts';
import { UnimissError } from '../../../protocol/errors.ts';
import { jsonOf } from '../../../protocol/json.ts';
import { type Modality, modalities } from '../../../protocol/modality.ts';
import type { RunRecord } from '../../../protocol/records/records.ts';
import { type Dataset, openDataset } from '../../data/datasets/unlabelled.ts';
import { writeTextAtomically } from '../../files/atomic.ts';
import { planOf } from '../../train/pretrain/plan.ts';
import type { ArmRun, OpenedExperiment } from './experimentFile.ts';

const seconds = z.number().positive();
const armCompute = z.object({
  /** Median time of a step in seconds; it includes the wait for the step's data. */
  secondsPerStep: z.partialRecord(z.enum(modalities), seconds),
  epochs: z.int().min(1),
  /** What all steps of these epochs take. */
  seconds,
  /** The arms whose summed time this arm may use; null: the arm trains for its own number of epochs. */
  matches: z.array(z.string()).nullable(),
});
export type ArmCompute = z.infer<typeof armCompute>;
/** What each arm costs. Measured once and kept: a resumed experiment goes on with the same numbers of epochs. */
export type Compute = Readonly<Record<string, ArmCompute>>;

/** How many steps of each phase are timed, after a few that are not: the first ones also prepare the graph. */
const timed = 12;
const untimed = 3;
/** Arms take turns, twice: a machine that is slow for a while then slows more than one arm. */
const rounds = 2;

/** A short run of an arm whose steps are timed. */
export interface Calibration {
  readonly arm: string;
  readonly name: string;
  readonly config: PretrainConfig;
}

/** The short runs that time the arms, in their order. */
export async function calibrations({
  runs,
  experiment,
}: Pick<OpenedExperiment, 'runs' | 'experiment'>): Promise<Calibration[]> {
  const arms: [arm: string, config: PretrainConfig][] = [];
  for (const { arm, config } of firstRuns(runs).values()) arms.push([arm, timing(config, await datasetOf(config))]);
  const turns = Array.from({ length: rounds }, (_, round) => round + 1);
  return turns.flatMap((round) =>
    arms.map(([arm, config]) => {
      const name = `${experiment.name}-${arm}-time${round}`;
      return { arm, name, config: { ...config, name } };
    }),
  );
}

/** An arm with as many epochs as the steps that are timed need: few images, or `stepsPerEpoch`, make few steps of an epoch. */
export function timing(config: PretrainConfig, dataset: Dataset): PretrainConfig {
  const { train } = config;
  const wanted = untimed + timed;
  const limit = (phase: Modality) => {
    const perTurn = Math.ceil(wanted / train.interval);
    return Math.min(perTurn, ofPhase(train.stepsPerEpoch, phase) ?? perTurn);
  };
  const stepsPerEpoch = { '2D': limit('2D'), '3D': limit('3D') };
  const withTurns = (turns: number): PretrainConfig => {
    return { ...config, probe: null, train: { ...train, epochs: 2 * train.interval * turns, stepsPerEpoch } };
  };
  const { epochs } = planOf(withTurns(1), dataset);
  // The steps of each phase in one turn of both.
  const steps = modalities
    .map((phase) => epochs.reduce((sum, one) => sum + (one.group === phase ? one.steps : 0), 0))
    .filter((sum) => sum > 0);
  return withTurns(Math.max(1, Math.ceil(wanted / Math.min(...steps, wanted))));
}

/** One run of each arm: the others differ by their seed alone. */
function firstRuns(runs: readonly ArmRun[]): Map<string, ArmRun> {
  const first = new Map<string, ArmRun>();
  for (const run of runs) if (!first.has(run.arm)) first.set(run.arm, run);
  return first;
}

/** Median time of the steps of each phase in seconds, without the first ones. */
export function secondsPerStep(records: readonly RunRecord[]): ArmCompute['secondsPerStep'] {
  return Object.fromEntries(
    modalities.flatMap((phase) => {
      const own = records.flatMap((one) =>
        one.kind === 'step' && one.group === phase ? (one.stepMs + one.waitMs) / 1000 : [],
      );
      const sorted = own.slice(Math.min(untimed, own.length - 1)).sort((a, b) => a - b);
      const median = sorted[Math.floor(sorted.length / 2)];
      return median === undefined ? [] : [[phase, median]];
    }),
  );
}

/** Seconds that an arm needs for a number of epochs: the sum over their steps. */
export type TimeOf = (epochs: number) => number;

/** The largest number of epochs that a configuration may have. */
const mostEpochs = 65_536;

/** The number of epochs, at least one, whose time comes nearest to a budget. */
export function epochsFor(budget: number, timeOf: TimeOf): number {
  let epochs = 1;
  while (timeOf(epochs) < budget && epochs < mostEpochs) epochs *= 2;
  let below = Math.max(1, Math.floor(epochs / 2));
  while (epochs - below > 1) {
    const middle = Math.floor((below + epochs) / 2);
    if (timeOf(middle) < budget) below = middle;
    else epochs = middle;
  }
  return budget - timeOf(below) <= timeOf(epochs) - budget ? below : epochs;
}

/** Decides how long each arm trains, by the time of its steps. */
export function computeOf(
  matched: Readonly<Record<string, readonly string[]>>,
  arms: ReadonlyMap<
    string,
    { readonly secondsPerStep: ArmCompute['secondsPerStep']; readonly epochs: number; readonly timeOf: TimeOf }
  >,
): Compute {
  const secondsOf = (arm: string) => {
    const own = arms.get(arm);
    return own ? own.timeOf(own.epochs) : 0;
  };
  return Object.fromEntries(
    [...arms].map(([arm, { secondsPerStep, epochs: given, timeOf }]): [string, ArmCompute] => {
      const matches = matched[arm];
      const epochs = matches
        ? epochsFor(
            matches.map(secondsOf).reduce((a, b) => a + b, 0),
            timeOf,
          )
        : given;
      return [arm, { secondsPerStep, epochs, seconds: timeOf(epochs), matches: matches ? [...matches] : null }];
    }),
  );
}

/**
 * How long each arm trains, where arms are matched by compute: as an earlier call decided, or else by timed runs.
 * @param time trains a run and returns its records
 * @returns undefined where arms are matched by steps
 * @throws UnimissError 'data' for a file of an earlier call that is damaged
 */
export async function matchCompute(
  opened: OpenedExperiment,
  out: string,
  time: (calibration: Calibration) => Promise<readonly RunRecord[]>,
): Promise<Compute | undefined> {
  const matched = matchedArms(opened.experiment);
  if (!matched) return undefined;
  const file = join(out, 'compute.json');
  if (existsSync(file)) return readCompute(file);
  const fastest = new Map<string, ArmCompute['secondsPerStep']>();
  for (const calibration of await calibrations(opened)) {
    const found = secondsPerStep(await time(calibration));
    const before = fastest.get(calibration.arm) ?? {};
    // The faster round counts: other work can only slow steps down.
    const faster = modalities.flatMap((phase) => {
      const both = [before[phase], found[phase]].filter((value) => value !== undefined);
      return both.length > 0 ? [[phase, Math.min(...both)]] : [];
    });
    fastest.set(calibration.arm, Object.fromEntries(faster));
  }
  const arms = new Map<string, { secondsPerStep: ArmCompute['secondsPerStep']; epochs: number; timeOf: TimeOf }>();
  for (const [arm, { config }] of firstRuns(opened.runs)) {
    const own = fastest.get(arm) ?? {};
    if (Object.keys(own).length === 0)
      throw new UnimissError('run', 'has no steps that were timed', {
        place: `arms.${arm}`,
        remedy: `Delete the runs ${opened.experiment.name}-${arm}-time1 and -time2; they are then trained again.`,
      });
    arms.set(arm, { secondsPerStep: own, epochs: config.train.epochs, timeOf: await timeOf(config, own) });
  }
  const compute = computeOf(matched, arms);
  await writeTextAtomically(file, `${JSON.stringify(compute, null, 2)}\n`);
  return compute;
}

async function timeOf(config: PretrainConfig, perStep: ArmCompute['secondsPerStep']): Promise<TimeOf> {
  const dataset = await datasetOf(config);
  return (epochs) =>
    planOf({ ...config, train: { ...config.train, epochs } }, dataset).epochs.reduce(
      (sum, { group, steps }) => sum + steps * (perStep[group] ?? 0),
      0,
    );
}

async function readCompute(file: string): Promise<Compute> {
  const text = await readFile(file, 'utf8');
  const found = z.record(z.string(), armCompute).safeParse(jsonOf(text));
  if (found.success) return found.data;
  throw new UnimissError('data', 'is damaged', {
    place: file,
    remedy:
      'Restore it, because the runs of this experiment follow it. Or delete the results and the runs, and start anew.',
  });
}

function datasetOf({ data: { paths, manifest, maxBroken } }: PretrainConfig): Promise<Dataset> {
  return openDataset({ ...(paths && { paths }), ...(manifest !== undefined && { manifest }), maxBroken });
}
