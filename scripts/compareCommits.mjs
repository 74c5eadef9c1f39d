/**
 * Do two commits train the same? Builds both, lets both pre-train the same small network on the same phantoms with one
 * processor's arithmetic fixed, and compares every recorded number and every byte of the last checkpoint.
 *
 *     node scripts/compareCommits.mjs [FIRST [SECOND]] [--bench N] [--cases CASES] [--keep]
 *
 * - FIRST: a commit; default: the last one that writes the formats of 0.1.0
 * - SECOND: a commit; default: the working tree
 * - --bench N: also times the step of both, N rounds in turns, and prints the ratio
 * - --cases: networks to time; default: tiny-2D,tiny-3D
 * - --keep: leaves the temporary folder
 *
 * Exit code: 0 if they are equal, 1 if not.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { compareCheckpoints, compareRecords, lastCheckpoint, readRecords } from './runDifferences.mjs';
import { main, root } from './setup.mjs';

const earliest = '11c458f';
const workingTree = 'the working tree';

/**
 * Everything that may matter: both phases, accumulation, drop-path, several epochs, checkpoints between. `stages` is left out
 * for commits whose `nano` has always four.
 */
const config = (manifest, stages) => ({
  name: 'compared',
  data: { manifest, workers: 1 },
  model: { preset: 'nano', ...stages, dropPath: 0.2, head: { hidden: 32, bottleneck: 16, outDim: 64 } },
  train: { epochs: 4, interval: 1, batch: { '2D': 2, '3D': 1 }, accumulate: 2, warmupEpochs: 1, seed: 5 },
  checkpoint: { everyMinutes: null, everyEpochs: 1, keepLast: 2 },
  engine: { device: 'cpu', executor: 'graph', interOpThreads: 2, intraOpThreads: 2 },
});

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    bench: { type: 'string' },
    cases: { type: 'string', default: 'tiny-2D,tiny-3D' },
    keep: { type: 'boolean', default: false },
  },
});

const bundled = { bundle: true, platform: 'node', format: 'esm', target: 'node20', logLevel: 'warning' };
const program = (side) => join(side.folder, 'dist', 'daemon', 'main.js');
const folder = mkdtempSync(join(tmpdir(), 'unimiss-compare-'));
await main(async () => {
  if (positionals.length > 2) throw new Error('Two commits at most: node scripts/compareCommits.mjs [FIRST [SECOND]]');
  const rounds = options.bench === undefined ? 0 : Number(options.bench);
  if (!(Number.isInteger(rounds) && rounds >= 0)) throw new Error('--bench: give the number of rounds');
  try {
    const [first = earliest, second = workingTree] = positionals;
    const sides = [
      { name: first, folder: join(folder, 'first') },
      { name: second, folder: join(folder, 'second') },
    ];
    for (const side of sides) checkOut(side);
    const env = environment(sides[0]);
    const manifest = await writePhantoms();
    const runs = sides.map((side) => train(side, manifest, env));
    const equal = report(sides, runs);
    if (rounds > 0) await bench(sides, rounds, env);
    return equal ? 0 : 1;
  } finally {
    if (options.keep) console.log(`Left in ${folder}`);
    else rmSync(folder, { recursive: true, force: true });
  }
});

function git(...args) {
  return execFileSync('git', args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 });
}

/** Copies a commit, or the working tree, into a separate folder and builds it. */
function checkOut(side) {
  mkdirSync(side.folder);
  if (side.name === workingTree) {
    for (const file of git('ls-files', '-z', '--cached', '--others', '--exclude-standard').split('\0')) {
      if (file === '' || !existsSync(join(root, file))) continue; // deleted, not yet committed
      mkdirSync(dirname(join(side.folder, file)), { recursive: true });
      cpSync(join(root, file), join(side.folder, file), { verbatimSymlinks: true });
    }
    side.title = `${workingTree} (on ${git('log', '-1', '--format=%h').trim()})`;
  } else {
    const archive = join(folder, 'archive.tar');
    git('archive', '--format=tar', '-o', archive, side.name);
    execFileSync('tar', ['-xf', archive, '-C', side.folder]);
    side.title = git('log', '-1', '--format=%h %s', side.name).trim();
  }
  console.log(`Building ${side.title}`);
  const lock = (place) => readFileSync(join(place, 'package-lock.json'), 'utf8');
  if (existsSync(join(root, 'node_modules')) && lock(root) === lock(side.folder))
    symlinkSync(join(root, 'node_modules'), join(side.folder, 'node_modules'));
  for (const script of ['scripts/setup.mjs', 'scripts/build.mjs'])
    execFileSync(process.execPath, [script], { cwd: side.folder, stdio: ['ignore', 'ignore', 'inherit'] });
}

/** Ignores the user's variables, except for the place of TensorFlow. */
function environment(side) {
  const { status, stdout } = spawnSync(process.execPath, [program(side), 'engine', 'info', '--json'], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`TensorFlow is needed: node dist/daemon/main.js engine install\n${stdout}`);
  const { used } = JSON.parse(stdout);
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(UNIMISS|XDG)_/.test(name)));
  const own = { XDG_CACHE_HOME: 'cache', XDG_CONFIG_HOME: 'config', XDG_STATE_HOME: 'state', XDG_RUNTIME_DIR: 'run' };
  for (const [name, place] of Object.entries(own)) {
    env[name] = join(folder, place);
    mkdirSync(env[name], { mode: 0o700 });
  }
  return { ...env, UNIMISS_TENSORFLOW: used.folder.replace(/^~(?=\/)/, homedir()) };
}

/** Images for both sides, drawn by this checkout. @returns the manifest */
async function writePhantoms() {
  const outfile = join(folder, 'first', 'dist', 'phantoms.mjs');
  const entry = join(root, 'daemon', 'data', 'phantoms', 'write.ts');
  await build({ ...bundled, entryPoints: [entry], outfile, packages: 'external' });
  const { writePhantoms: write } = await import(outfile);
  const size = { slices: 18, plane: 72, image: 80 };
  const images = join(folder, 'images');
  mkdirSync(images);
  return (await write(images, { seed: 7, volumes: 4, images: 8, size })).manifest;
}

/** Both sides train the `nano` of four stages, which was its only form before the number became a setting. */
function fourStages(side) {
  const settings = readFileSync(join(side.folder, 'docs', 'configuration.md'), 'utf8');
  return settings.includes('| `stages` |') ? { stages: 4 } : {};
}

/** @returns the run's folder */
function train(side, manifest, env) {
  console.log(`Training ${side.title}`);
  const file = join(folder, 'compared.unimiss.jsonc');
  writeFileSync(file, JSON.stringify(config(manifest, fourStages(side)), null, 2));
  const runs = join(side.folder, 'runs');
  const args = [program(side), 'pretrain', file, '--foreground', '--runs', runs];
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: folder, env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${side.title} ended with ${status}:\n${stderr}`);
  const names = readdirSync(runs).filter((name) => !name.startsWith('.'));
  if (names.length !== 1) throw new Error(`${side.title} made ${names.length} runs`);
  return join(runs, names[0]);
}

/** Prints how the runs differ. @returns whether they are equal */
function report(sides, runs) {
  const records = runs.map((run) => readRecords(join(run, 'records.jsonl')));
  const results = [compareRecords(...records), compareCheckpoints(...runs.map(lastCheckpoint))];
  const all = (part) => results.flatMap((result) => result[part]);
  const loss = records.map((each) => [...each].findLast(([key]) => key.startsWith('step '))?.[1].loss);
  console.log(`\nfirst:  ${sides[0].title}; last loss ${loss[0]}\nsecond: ${sides[1].title}; last loss ${loss[1]}\n`);
  console.log('| | compared | numbers | differing |\n|---|---|---|---|');
  for (const { what, compared, numbers, differing } of all('rows'))
    console.log(`| ${what} | ${compared} | ${numbers} | ${differing} |`);
  for (const note of all('notes')) console.log(`note: ${note}`);
  const differences = all('differences');
  for (const difference of differences.slice(0, 20)) console.log(`DIFFERENT ${difference}`);
  if (differences.length > 20) console.log(`… and ${differences.length - 20} differences more`);
  console.log(differences.length === 0 ? '\nEqual.' : `\n${differences.length} differences.`);
  return differences.length === 0;
}

/**
 * Times test/bench/step.ts of both alternately, so that load on the machine affects both; prints the fastest steps and their
 * ratio.
 */
async function bench(sides, rounds, env) {
  console.log(
    `\n| step, ms (fastest of ${rounds} rounds in turns) | first | second | second / first |\n|---|---|---|---|`,
  );
  for (const side of sides) {
    const entry = join(side.folder, 'test', 'bench', 'step.ts');
    side.step = join(side.folder, 'dist', 'bench-step.mjs');
    side.flag = `--${/(phase|group|modality|kind): \{ type/.exec(readFileSync(entry, 'utf8'))?.[1]}`;
    await build({ ...bundled, entryPoints: [entry], outfile: side.step, packages: 'external' });
  }
  for (const name of options.cases.split(',')) {
    const [arch, group] = name.split('-');
    const fastest = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
    for (let round = 0; round < rounds; round++)
      for (const i of round % 2 === 0 ? [0, 1] : [1, 0]) {
        const { step, flag, folder: cwd } = sides[i];
        const args = [step, '--arch', arch, flag, group, '--batch', '2', '--steps', '5'];
        const output = execFileSync(process.execPath, args, {
          cwd,
          env,
          encoding: 'utf8',
          stdio: ['ignore', 'pipe', 'pipe'],
        });
        fastest[i] = Math.min(fastest[i], JSON.parse(output.trim().split('\n').at(-1)).minMs);
      }
    console.log(`| ${name} | ${fastest[0]} | ${fastest[1]} | ${(fastest[1] / fastest[0]).toFixed(3)} |`);
  }
}
