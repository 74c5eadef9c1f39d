import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { applyEdits, modify, parse } from 'jsonc-parser';
import { root } from './setup.mjs';

const program = join('dist', 'daemon', 'main.js');
const study = join('scripts', 'study.mjs');
const experiments = join(root, 'experiments');
const [questions, smallQuestions] = ['three-questions', 'three-questions-small'].map((name) =>
  join(experiments, `${name}.experiment.jsonc`),
);

/**
 * The measurements of docs/results.md that one seed of pre-training asks for, in their order. A part's output becomes `file`; `run` is
 * the folder of the demo's pre-training, which the first part prints.
 * @param {{ out: string, seed: number, quick?: boolean }} options
 * @returns {{ file: string, args: (run: string) => string[] }[]}
 */
export function partsOf({ out, seed, quick = false }) {
  const tiny = tinyParts({ out, seed, quick });
  const probe = (...args) => probeArgs(quick, ...args, '--phantoms', join(out, 'phantoms-probe'));
  const finetune = (run, modality) => [
    ...[study, 'finetune', run, '--modality', modality, '--arms', 'scratch,teacher', '--no-augment'],
    ...(quick
      ? ['--recipes', 'short:lr=1e-3,steps=2', '--labels', '2', '--seeds', '1', '--test', '16']
      : ['--recipes', 'long:lr=1e-3,steps=240', '--labels', '4,16', '--seeds', '1,2,3']),
    ...['--phantoms', join(out, `phantoms-finetune-${modality}`)],
  ];
  return [
    {
      file: 'demo.jsonl',
      args: () => [
        ...[program, 'demo', '--seed', String(seed), '--json', '--foreground', '--runs', join(out, 'runs')],
        ...(quick ? ['--quick'] : []),
      ],
    },
    { file: 'stages-nano-random.txt', args: (run) => probe(run, '--network', 'random') },
    { file: 'stages-nano-trained.txt', args: (run) => probe(run) },
    { file: 'finetune-2D.txt', args: (run) => finetune(run, '2D') },
    { file: 'finetune-3D.txt', args: (run) => finetune(run, '3D') },
    ...tiny,
  ];
}

/** The stages of `tiny`, whose views are larger: so are its phantoms. It has a quarter of the steps of the demo. */
function tinyParts({ out, seed, quick }) {
  const phantoms = join(out, `phantoms-tiny-${seed}`);
  const runs = join(out, `seed-${seed}`, 'runs-tiny');
  const [volumes, images, epochs] = quick ? ['4', '8', '2'] : ['64', '448', '16'];
  const probe = (...args) =>
    probeArgs(
      quick,
      join(runs, ...onlyIn(runs)),
      ...args,
      ...['--plane', '144', '--phantoms', join(out, 'phantoms-probe-tiny')],
    );
  return [
    {
      file: 'phantoms-tiny.txt',
      args: () => [
        ...[program, 'phantoms', phantoms, '--seed', String(seed), '--volumes', volumes, '--images', images],
        ...['--slices', '16', '--plane', '144', '--pixels', '96'],
      ],
    },
    {
      file: 'pretrain-tiny.jsonl',
      args: (run) => {
        rmSync(runs, { recursive: true, force: true }); // of a stop
        const changes = {
          name: 'tiny',
          'model.preset': 'tiny',
          'train.epochs': epochs,
          'data.manifest': join(phantoms, 'manifest.csv'),
        };
        return [
          ...[program, 'pretrain', join(run, 'config.unimiss.jsonc'), '--json', '--foreground', '--runs', runs],
          ...Object.entries(changes).flatMap(([key, value]) => ['--set', `${key}=${value}`]),
        ];
      },
    },
    { file: 'stages-tiny-random.txt', args: () => probe('--network', 'random') },
    { file: 'stages-tiny-trained.txt', args: () => probe() },
  ];
}

function probeArgs(quick, ...args) {
  return [join('scripts', 'probe.mjs'), ...args, ...(quick ? ['--count', '24', '--labels', '4'] : [])];
}

/** The only run in a folder of runs. */
function onlyIn(runs) {
  const names = readdirSync(runs).filter((name) => !name.startsWith('.'));
  if (names.length !== 1)
    throw new Error(`${runs} has ${names.length} runs instead of one. Delete it and ${runs}/../pretrain-tiny.jsonl.`);
  return names;
}

/** The folder of the pre-training, by what the demo printed. */
export function pretrainingOf(printed) {
  const records = printed.trim().split('\n').map(JSON.parse);
  const found = records.find(({ run, page }) => run !== undefined && page !== undefined);
  if (!found) throw new Error('The demo printed no run.');
  return found.run;
}

/**
 * The experiment of the three questions, for these seeds alone. With all of its own seeds, it is the fixed file, byte for byte. `quick`:
 * the small one, which has one seed.
 */
export function questionsFor(seeds, quick = false) {
  if (quick) return readFileSync(smallQuestions, 'utf8');
  const text = readFileSync(questions, 'utf8');
  const own = parse(text).seeds;
  const unknown = seeds.filter((seed) => !own.includes(seed));
  if (unknown.length > 0) throw new Error(`The experiment has the seeds ${own.join(', ')}, not ${unknown.join(', ')}.`);
  return seeds.length === own.length ? text : applyEdits(text, modify(text, ['seeds'], seeds, {}));
}

/**
 * Refuses a folder that was begun with other options, before anything is measured: numbers that mean nothing must not stand beside those
 * that do, and an experiment does not change.
 * @param {string} out the folder
 * @param {{ quick: boolean, asked: string | undefined }} options `asked`: the experiment; undefined: none
 * @returns {Record<string, string>} what to write, by the file's path
 */
export function begun(out, { quick, asked }) {
  const files = { options: join(out, 'options.json'), experiment: join(out, 'questions.experiment.jsonc') };
  const wanted = { [files.options]: `${JSON.stringify({ quick })}\n`, ...(asked && { [files.experiment]: asked }) };
  const differing = Object.entries(wanted).find(
    ([path, text]) => existsSync(path) && readFileSync(path, 'utf8') !== text,
  );
  if (differing)
    throw new Error(
      `${differing[0]} was written with other options (--quick, --seeds). Repeat them, or name another folder with --out.`,
    );
  return wanted;
}
