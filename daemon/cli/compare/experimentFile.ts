import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type ParseError, parse, printParseErrorCode } from 'jsonc-parser';
import { z } from 'zod';
import { version } from '../../../package.json';
import {
  armsOf,
  type Experiment,
  experimentSchema,
  fineTuned,
  matchedArms,
  type Question,
  taskOf,
  tasksOf,
} from '../../../protocol/compare/experiment.ts';
import { resolveConfig, type SharedConfig } from '../../../protocol/config/index.ts';
import { parseConfig } from '../../../protocol/config/parseConfig.ts';
import { type PretrainConfig, requirePretrain } from '../../../protocol/config/pretrain/index.ts';
import { messageOf, UnimissError } from '../../../protocol/errors.ts';
import { jsonOf } from '../../../protocol/json.ts';
import { phantomDrawing } from '../../data/phantoms/write.ts';
import { writeTextAtomically } from '../../files/atomic.ts';
import { makeFolder } from '../../files/folder.ts';
import { type DrawnFolder, drawingOf } from './drawPhantoms.ts';
import { fineTuningConfig, fineTunings } from './fineTunings.ts';
import { merged } from './merged.ts';

/** One run of an experiment. */
export interface ArmRun {
  readonly arm: string;
  readonly seed: number;
  /** The run's name. */
  readonly name: string;
  /** Its configuration with absolute paths. */
  readonly config: PretrainConfig;
}

export interface OpenedExperiment {
  readonly experiment: Experiment;
  /** Absolute path of the test images' manifest. */
  readonly manifest: string;
  /** Absolute path of the manifest of images for fine-tuning, where there is any. */
  readonly pool: string | undefined;
  readonly phantoms: readonly DrawnFolder[];
  readonly runs: readonly ArmRun[];
  /** The configuration of each arm as it is fixed: the same wherever the file is, as if in `fixedFolder`. */
  readonly fixedArms: Readonly<Record<string, PretrainConfig>>;
  /** SHA-256 of the experiment and of the drawing of its phantoms. The same on every machine. */
  readonly hash: string;
}

/**
 * Reads an experiment and makes every choice explicit.
 * @throws UnimissError 'config' that names the field
 */
export async function readExperiment(file: string): Promise<OpenedExperiment> {
  const text = await readFile(file, 'utf8').catch((error) => {
    throw new UnimissError('config', `cannot be read: ${messageOf(error)}`, { place: file, cause: error });
  });
  const errors: ParseError[] = [];
  const value: unknown = parse(text, errors, { allowTrailingComma: true });
  const [wrong] = errors;
  if (wrong)
    throw new UnimissError(
      'config',
      `is not JSON with comments: ${printParseErrorCode(wrong.error)} at character ${wrong.offset}`,
      {
        place: file,
      },
    );
  const checked = experimentSchema.safeParse(value);
  if (!checked.success) throw new UnimissError('config', z.prettifyError(checked.error), { place: file });
  const experiment = checked.data;
  checkQuestions(experiment, file);
  const folder = dirname(resolve(file));
  const runs = experiment.seeds.flatMap((seed) =>
    Object.keys(experiment.arms).map((arm) => armRun(experiment, arm, seed, { file, folder })),
  );
  const manifest = resolve(folder, experiment.test.manifest);
  checkRecipe(experiment, file);
  checkCompute(experiment, file);
  const pool = experiment.fineTuning && resolve(folder, experiment.fineTuning.manifest);
  const phantoms = Object.entries(experiment.phantoms ?? {}).map(
    ([path, options]): DrawnFolder => ({
      folder: resolve(folder, path),
      options: drawingOf(options, `${file}: phantoms.${path}`),
    }),
  );
  const fixedArms = Object.fromEntries(
    Object.keys(experiment.arms).map((arm) => [
      arm,
      armRun(experiment, arm, experiment.seeds[0] ?? 0, { file, folder: fixedFolder }).config,
    ]),
  );
  const drawing = phantoms.length === 0 ? [] : [phantomDrawing];
  const hash = createHash('sha256')
    .update(JSON.stringify([experiment, ...drawing]))
    .digest('hex');
  return { experiment, manifest, pool, phantoms, runs, fixedArms, hash };
}

/** The folder that relative paths in a fixed experiment begin at, whatever the machine. */
const fixedFolder = '/experiment';

/** Refuses a recipe that no fine-tuning could have, before anything is trained. */
function checkRecipe(experiment: Experiment, file: string): void {
  const asked = tasksOf(experiment).find((task) => (fineTuned as readonly string[]).includes(task));
  if (asked === undefined) return;
  if (!experiment.fineTuning)
    throw new UnimissError('config', `\`tasks\` asks for ${asked}, but nothing says what is fine-tuned`, {
      place: file,
      remedy: 'Add `fineTuning` with a `manifest` of labelled images.',
    });
  const place = `${file}: fineTuning.recipe`;
  const checked = { place, data: '/', layout: 'table', split: '/split.json', from: '/run' } as const;
  for (const tuning of fineTunings(experiment)) fineTuningConfig(experiment, tuning, checked);
}

function checkCompute(experiment: Experiment, file: string): void {
  const { arms, match, compute } = experiment;
  const refuse = (field: string, what: string, remedy: string) =>
    new UnimissError('config', what, { place: `${file}: ${field}`, remedy });
  if (compute && match !== 'compute')
    throw refuse('compute', 'arms are not matched by compute', 'Set `match` to "compute", or remove `compute`.');
  const matched = matchedArms(experiment) ?? {};
  for (const [arm, others] of Object.entries(matched))
    for (const one of [arm, ...others]) {
      const known = `Arms are: ${Object.keys(arms).join(', ')}.`;
      if (!Object.hasOwn(arms, one)) throw refuse(`compute.${arm}`, `there is no arm "${one}"`, known);
      if (one !== arm ? Object.hasOwn(matched, one) : others.includes(arm))
        throw refuse(
          `compute.${arm}`,
          `"${one}" has no time of its own: it gets that of other arms`,
          'Name arms that train as long as they say.',
        );
    }
}

function checkQuestions(experiment: Experiment, file: string): void {
  const { labels, primary, secondary } = experiment;
  const tasks = tasksOf(experiment);
  const questions: [place: string, question: Question][] = [
    ['primary', primary],
    ...secondary.map((question, i): [string, Question] => [`secondary[${i}]`, question]),
  ];
  for (const [place, question] of questions) {
    const task = taskOf(question);
    const refuse = (field: string, what: string, remedy: string) =>
      new UnimissError('config', what, { place: `${file}: ${place}.${field}`, remedy });
    if (!tasks.includes(task))
      throw refuse('task', `"${task}" is not measured`, `Write one of ${tasks.join(', ')}, or add it to \`tasks\`.`);
    const known = armsOf(experiment, task);
    for (const field of ['better', 'than'] as const)
      if (!known.includes(question[field]))
        throw refuse(field, `there is no arm "${question[field]}"`, `Arms and baselines are: ${known.join(', ')}.`);
    if (question.better === question.than)
      throw refuse('than', `"${question.than}" is compared with itself`, 'Name another arm or a baseline.');
    if (!labels.includes(question.labels))
      throw refuse(
        'labels',
        `${question.labels} labels are not measured`,
        `Write one of ${labels.join(', ')}, or add it to \`labels\`.`,
      );
  }
}

function armRun(
  { name, base, arms }: Experiment,
  arm: string,
  seed: number,
  { file, folder }: { file: string; folder: string },
): ArmRun {
  const run = `${name}-${arm}-s${seed}`;
  const given = merged(merged(base, arms[arm]), { name: run, experiment: name, train: { seed } });
  const place = `${file}: arms.${arm}`;
  const config = resolveConfig(parseConfig(JSON.stringify(given, null, 2), place), { baseDir: folder });
  return { arm, seed, name: run, config: requirePretrain(config) };
}

/** The folder of results is named after the file, and runs after the experiment. */
export const askingElse =
  'To ask something else, copy the experiment to a file of another name and change `name` in it.';

const fixedSchema = z.object({ hash: z.string(), fixed: z.string(), arms: z.record(z.string(), z.unknown()) });

/**
 * When an experiment was fixed; undefined: not yet. It must still be the same, and so must the configurations of its arms with all
 * defaults: another version of UniMiSS may have others. Fields that the first version did not have may be added with their defaults.
 * @throws UnimissError 'config' if it was changed since, or if what was fixed is damaged
 */
export async function fixedBefore(out: string, { hash, fixedArms }: OpenedExperiment): Promise<string | undefined> {
  const file = fileOf(out);
  if (!existsSync(file)) return undefined;
  const before = fixedSchema.safeParse(jsonOf(await readFile(file, 'utf8')));
  const refuse = (what: string, remedy: string) => new UnimissError('config', what, { place: file, remedy });
  if (!before.success)
    throw refuse(
      'is damaged: it does not say what was fixed',
      'Restore it, or measure anew in another folder: `--out`.',
    );
  if (before.data.hash !== hash)
    throw refuse('the experiment was changed after it was fixed', `Restore the experiment file. ${askingElse}`);
  for (const [arm, config] of Object.entries(fixedArms))
    if (!isDeepStrictEqual(deciding(asOfNow(before.data.arms[arm], file)), deciding(config)))
      throw refuse(
        `this version of UniMiSS gives the arm "${arm}" another configuration than the experiment was fixed with`,
        `Continue with the version that \`unimiss\` in this file names. ${askingElse}`,
      );
  return before.data.fixed;
}

/**
 * Fixes an experiment before its first run: writes it with its hash into the folder of its results. What was fixed before stays.
 * @returns the time, ISO 8601
 * @throws as `fixedBefore`
 */
export async function fixExperiment(out: string, opened: OpenedExperiment): Promise<string> {
  const before = await fixedBefore(out, opened);
  if (before !== undefined) return before;
  const { experiment, hash, fixedArms } = opened;
  await makeFolder(out);
  const fixed = new Date().toISOString();
  const arms = Object.fromEntries(Object.entries(fixedArms).map(([arm, config]) => [arm, deciding(config)]));
  const about = { hash, fixed, unimiss: version, experiment, arms };
  await writeTextAtomically(fileOf(out), `${JSON.stringify(about, null, 2)}\n`);
  return fixed;
}

function fileOf(out: string): string {
  return join(out, 'experiment.json');
}

/** A configuration of an earlier version with the defaults of fields that are new. */
function asOfNow(config: unknown, place: string): SharedConfig {
  return resolveConfig(parseConfig(JSON.stringify(config ?? {}), place), { baseDir: '/' });
}

/** What decides a result: all of a configuration but the folder for copies of volumes, which is the machine's. */
function deciding(config: SharedConfig): unknown {
  const { data, ...rest } = plain(config) as { data: Record<string, unknown> };
  const { cache, ...others } = data;
  return { ...rest, data: typeof cache === 'string' ? others : data };
}

/** As JSON has it: undefined fields do not matter. */
export function plain(value: object): unknown {
  return JSON.parse(JSON.stringify(value));
}
