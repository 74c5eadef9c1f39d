// The figures of prediction: cold commands, reading and writing included, and windows a second beside PyTorch's. Used by bench.mjs.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join, resolve } from 'node:path';

/** What is asked of prediction with 117 classes: seconds or MiB at most, or how many times as fast as PyTorch at least. */
export const predictCases = [
  { name: '512×512×280 at 0.8×0.8×1.5 mm, plan of 3 mm', image: 'short', network: 'coarse', seconds: 30 },
  { name: '512×512×1000 at 0.8×0.8×1 mm, plan of 3 mm', image: 'long', network: 'coarse', mebibytes: 2048 },
  { name: '512×512×1000 at 0.8×0.8×1 mm, plan of 1.5 mm', image: 'long', network: 'fine', mebibytes: 3072 },
];
const images = {
  short: ['--size', '280,512,512', '--spacing', '1.5,0.8,0.8'],
  long: ['--size', '1000,512,512', '--spacing', '1,0.8,0.8'],
};
/** Patches as `unimiss plan` makes them for such images (daemon/data/datasets/labelled/plan/planFor.ts). */
const networks = {
  coarse: ['--patch', '112,96,128', '--spacing', '3,3,3'],
  fine: ['--patch', '112,96,128', '--spacing', '1.5,1.5,1.5'],
  thick: ['--patch', '48,192,192', '--spacing', '3,1,1'],
};
const classes = 117;

/**
 * @param program the bundled test/bench/predict.ts
 * @param folder for images, networks and results; removed by the caller
 * @param measure runs a program that prints a line of JSON
 * @param wanted numbers of cases (0 …) or 'windows'; undefined: all
 */
export async function benchPrediction({ program, folder, measure, python, rounds, steps, wanted }) {
  const made = (kind, name, args) => {
    const out = resolve(folder, name);
    if (existsSync(out)) return out;
    const { status, stderr } = spawnSync(process.execPath, [program, kind, ...args, '--out', out], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`${kind} ${name}: ${stderr}`);
    return out;
  };
  const networkOf = (name) => made('network', name, [...networks[name], '--classes', String(classes)]);
  const rows = [];
  for (const [number, one] of predictCases.entries()) {
    if (wanted && !wanted.includes(String(number))) continue;
    const [image, network] = [made('image', `${one.image}.nii.gz`, images[one.image]), networkOf(one.network)];
    const runs = [];
    for (let round = 0; round < rounds; round++) {
      const run = await coldPrediction({ folder: join(folder, `run-${number}-${round}`), image, network });
      console.log(
        `${one.name}: ${run.seconds.toFixed(1)} s, ${run.mebibytes} MiB (${run.parts}); load ${loadavg()[0].toFixed(1)}`,
      );
      runs.push(run);
    }
    const seconds = Math.min(...runs.map((run) => run.seconds));
    const mebibytes = Math.max(...runs.map((run) => run.mebibytes));
    const asked = one.seconds ? `≤ ${one.seconds} s` : `< ${one.mebibytes} MiB`;
    rows.push(`| ${one.name} | ${seconds.toFixed(1)} s | ${mebibytes} MiB | ${asked} |`);
  }
  let table = ['| | time | peak memory | asked |', '|---|---|---|---|', ...rows].join('\n');
  if (rows.length === 0) table = '';
  if (!wanted || wanted.includes('windows')) {
    const network = networkOf('thick');
    const [own, others] = [[], []];
    for (let round = 0; round < rounds; round++) {
      own.push(measure(process.execPath, [program, 'windows', '--network', network]).secondsPerWindow);
      for (const layout of [[], ['--channels-last']]) {
        const args = [
          'windows',
          '--size',
          '48',
          '192',
          '192',
          '--classes',
          String(classes + 1),
          '--threads',
          '2',
          ...layout,
        ];
        const all = ['test/bench/torch_downstream.py', ...args, '--steps', String(steps)];
        others.push(measure(python, all).secondsPerWindow);
      }
      console.log(
        `windows: ours ${own.at(-1).toFixed(2)} s; PyTorch ${others
          .slice(-2)
          .map((s) => s.toFixed(2))
          .join(', ')} s`,
      );
    }
    const [ours, torch] = [Math.min(...own), Math.min(...others)];
    const row = `| ${ours.toFixed(2)} s | ${torch.toFixed(2)} s | ${(torch / ours).toFixed(2)} | ≥ 1.2 |`;
    const windows = [
      `| a window of 48×192×192, plan of 3×1×1 mm: ours | PyTorch | times as fast | asked |`,
      '|---|---|---|---|',
      row,
    ];
    table = [table, windows.join('\n')].filter(Boolean).join('\n\n');
  }
  return table;
}

/** Between two looks at the memory of processes, ms; new processes are looked for at every fifth. */
const lookEvery = 100;

/**
 * Runs `unimiss predict` where no daemon runs. Its memory is the sum, over the command, the daemon that it
 * starts and the process that predicts, of each one's largest resident memory (VmHWM).
 */
async function coldPrediction({ folder, image, network }) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, 'runs'), { recursive: true, mode: 0o700 });
  const mark = `UNIMISS_SOCKET=${resolve(folder, 's')}`;
  const env = {
    ...process.env,
    ...{ UNIMISS_RUNS: resolve(folder, 'runs'), UNIMISS_SOCKET: resolve(folder, 's'), UNIMISS_IDLE_MINUTES: '0.01' },
    ...{ XDG_CONFIG_HOME: resolve(folder, 'config'), XDG_STATE_HOME: resolve(folder, 'state') },
  };
  const began = performance.now();
  const child = spawn(
    process.execPath,
    ['dist/daemon/main.js', 'predict', network, image, '-o', join(folder, 'labels')],
    {
      ...{ env, stdio: ['ignore', 'ignore', 'pipe'] },
    },
  );
  let told = '';
  child.stderr.on('data', (data) => {
    told += data;
  });
  const peaks = new Map();
  let looks = 0;
  const look = () => {
    const all = looks++ % 5 === 0 ? readdirSync('/proc').filter((name) => /^\d+$/.test(name)) : peaks.keys();
    for (const pid of [...all]) {
      const peak = peakOf(pid, mark);
      if (peak) peaks.set(pid, peak);
    }
  };
  const looking = setInterval(look, lookEvery);
  const code = await new Promise((done) => child.on('close', done));
  const seconds = (performance.now() - began) / 1000;
  look();
  clearInterval(looking);
  if (code !== 0) throw new Error(`predict ended with ${code}: ${told}`);
  const kilobytes = [...peaks.values()].sort((a, b) => b - a);
  const mebibytes = (list) => Math.round(list.reduce((a, b) => a + b, 0) / 1024);
  rmSync(join(folder, 'labels'), { recursive: true });
  return { seconds, mebibytes: mebibytes(kilobytes), parts: kilobytes.map((kb) => mebibytes([kb])).join(' + ') };
}

/** A process's largest resident memory, kB; undefined where it does not have this mark among its variables, or has ended. */
function peakOf(pid, mark) {
  try {
    if (!readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(mark)) return undefined;
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) || undefined;
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES'].includes(error.code)) return undefined;
    throw error;
  }
}
