// Measures docs/results.md anew, from a clean folder: for each seed the demo, the tables of stages and the fine-tuning of its network;
// then the three questions. A part that is there already is not repeated, so that the same command continues after a stop.
//   npm run results -- --out FOLDER [--seeds 1,2,3,4,5] [--no-questions] [--quick]
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { main, root, run, setup } from './setup.mjs';

await main(async () => {
  const { values } = parseArgs({
    options: {
      out: { type: 'string' },
      seeds: { type: 'string', default: '1,2,3,4,5' },
      questions: { type: 'boolean', default: true },
      // Few images and steps, to see that everything runs; the numbers mean nothing.
      quick: { type: 'boolean', default: false },
    },
    allowNegative: true,
  });
  if (values.out === undefined) throw new Error('Name a folder: npm run results -- --out FOLDER');
  const seeds = values.seeds.split(',').map(Number);
  if (!seeds.every(Number.isSafeInteger))
    throw new Error(`--seeds: "${values.seeds}" is no list of seeds, as in 1,2,3.`);
  await setup();
  const built = await run(process.execPath, ['scripts/build.mjs'], { cwd: root });
  if (built !== 0) return built;
  const { begun, partsOf, pretrainingOf, questionsFor } = await import('./resultsParts.mjs'); // needs installed packages
  const out = resolve(process.env.INIT_CWD ?? process.cwd(), values.out);
  const { quick } = values;
  const files = begun(out, { quick, asked: values.questions ? questionsFor(seeds, quick) : undefined });
  mkdirSync(out, { recursive: true });
  for (const [path, text] of Object.entries(files)) writeWhole(path, text);
  for (const seed of seeds) {
    const folder = join(out, `seed-${seed}`);
    mkdirSync(folder, { recursive: true });
    let pretraining = '';
    for (const { file, args } of partsOf({ out, seed, quick })) {
      const path = join(folder, file);
      if (!existsSync(path)) writeWhole(path, await printed(args(pretraining)));
      pretraining ||= pretrainingOf(readFileSync(path, 'utf8'));
    }
  }
  if (!values.questions) return 0;
  const compare = [join(root, 'dist', 'daemon', 'main.js'), 'compare', join(out, 'questions.experiment.jsonc')];
  return run(process.execPath, [...compare, '--foreground', '--runs', join(out, 'runs')], { cwd: out });
});

/** What a command prints, which is shown as well. */
async function printed(args) {
  console.error(`\n$ node ${args.join(' ')}`);
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part) => {
    text += part;
    process.stdout.write(part);
  });
  const [code, signal] = await once(child, 'close');
  if (code !== 0) throw new Error(`The command ended with ${signal ?? `code ${code}`}: node ${args.join(' ')}`);
  return text;
}

/** A file is there whole, or not at all. */
function writeWhole(path, text) {
  const file = openSync(`${path}.part`, 'w');
  writeFileSync(file, text);
  fsyncSync(file);
  closeSync(file);
  renameSync(`${path}.part`, path);
}
