import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { type ParseError, parse, printParseErrorCode } from 'jsonc-parser';
import { z } from 'zod';
import { version } from '../../../package.json';
import { baselines, type Experiment, experimentSchema } from '../../../protocol/compare/experiment.ts';
import { resolveConfig } from '../../../protocol/config/index.ts';
import { parseConfig } from '../../../protocol/config/parseConfig.ts';
import { type PretrainConfig, requirePretrain } from '../../../protocol/config/pretrain/index.ts';
import { messageOf, UnimissError } from '../../../protocol/errors.ts';
import { isObject } from '../../../protocol/json.ts';
import { writeTextAtomically } from '../../files/atomic.ts';
import { makeFolder } from '../../files/folder.ts';

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
  readonly runs: readonly ArmRun[];
  /** SHA-256 of everything above. */
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
  const hash = createHash('sha256')
    .update(JSON.stringify([experiment, manifest, runs.map(({ config }) => config)]))
    .digest('hex');
  return { experiment, manifest, runs, hash };
}

function checkQuestions({ arms, labels, primary, secondary }: Experiment, file: string): void {
  for (const [place, { better, than, labels: asked }] of [
    ['primary', primary] as const,
    ...secondary.map((question, i) => [`secondary[${i}]`, question] as const),
  ]) {
    const known = [...Object.keys(arms), ...baselines];
    for (const [field, name] of [
      ['better', better],
      ['than', than],
    ] as const)
      if (!known.includes(name))
        throw new UnimissError('config', `there is no arm "${name}"`, {
          place: `${file}: ${place}.${field}`,
          remedy: `Arms and baselines are: ${known.join(', ')}.`,
        });
    if (!labels.includes(asked))
      throw new UnimissError('config', `${asked} labels are not measured`, {
        place: `${file}: ${place}.labels`,
        remedy: `Write one of ${labels.join(', ')}, or add it to \`labels\`.`,
      });
  }
}

function armRun(
  { name, base, arms }: Experiment,
  arm: string,
  seed: number,
  { file, folder }: { file: string; folder: string },
): ArmRun {
  const run = `${name}-${arm}-s${seed}`;
  const given = merged(merged(base, arms[arm]), { name: run, train: { seed } });
  const place = `${file}: arms.${arm}`;
  const config = resolveConfig(parseConfig(JSON.stringify(given, null, 2), place), { baseDir: folder });
  return { arm, seed, name: run, config: requirePretrain(config) };
}

/** Objects are merged at any depth; everything else is replaced. */
function merged(base: unknown, change: unknown): unknown {
  if (!isObject(base) || !isObject(change)) return change === undefined ? base : change;
  const keys = new Set([...Object.keys(base), ...Object.keys(change)]);
  return Object.fromEntries(
    [...keys].map((key) => [key, Object.hasOwn(change, key) ? merged(base[key], change[key]) : base[key]]),
  );
}

const fixedSchema = z.object({ hash: z.string(), fixed: z.string() });

/**
 * Fixes an experiment before its first run: writes it with its hash into the folder of its results. Later, the experiment must be the
 * same.
 * @throws UnimissError 'config' if it was changed since
 */
export async function fixExperiment(out: string, { experiment, manifest, hash }: OpenedExperiment): Promise<string> {
  const file = join(out, 'experiment.json');
  if (!existsSync(file)) {
    await makeFolder(out);
    const fixed = new Date().toISOString();
    await writeTextAtomically(
      file,
      `${JSON.stringify({ hash, fixed, unimiss: version, manifest, experiment }, null, 2)}\n`,
    );
    return fixed;
  }
  const before = fixedSchema.safeParse(JSON.parse(await readFile(file, 'utf8')));
  if (before.success && before.data.hash === hash) return before.data.fixed;
  throw new UnimissError('config', 'the experiment was changed after it was fixed', {
    place: file,
    remedy: 'Restore the experiment file. To ask something else, give the experiment another name.',
  });
}
