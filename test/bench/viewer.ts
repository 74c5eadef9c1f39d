/**
 * Times how soon planes of a large volume are there: 512×512×600 int16 as `.nii.gz`, made up with the noise of a CT. Bundled beside
 * dist/daemon/image-thread.js by `npm run bench:viewer`, which starts that thread as the extension does.
 * Usage: npm run bench:viewer [-- --slices 600 --rounds 3]
 */
import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { createGzip } from 'node:zlib';
import { niftiFixture } from '../../daemon/data/formats/nifti.fixture.ts';
import type { ImageTask, ImageTasks, ThreadMessage } from '../../images/messages.ts';

const { values } = parseArgs({
  options: { slices: { type: 'string', default: '600' }, rounds: { type: 'string', default: '3' } },
});
const slices = Number(values.slices);
const threadFile = new URL('../daemon/image-thread.js', import.meta.url);
const file = join(tmpdir(), `unimiss-bench-${slices}.nii.gz`);

/** A body of soft tissue with noise of about 12 HU in air, slice by slice. */
function* volume(): Generator<Buffer> {
  const header = niftiFixture({ size: [512, 512, slices], type: 4, pixdim: [0.8, 0.8, 1], values: [] });
  yield header;
  let seed = 1;
  const random = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed / 2 ** 32;
  };
  for (let k = 0; k < slices; k++) {
    const slice = new Int16Array(512 * 512);
    for (let y = 0, o = 0; y < 512; y++)
      for (let x = 0; x < 512; x++, o++) {
        const inside = ((x - 256) / 210) ** 2 + ((y - 256) / 150) ** 2 < 1;
        const lung = ((Math.abs(x - 256) - 90) / 70) ** 2 + ((y - 250) / 100) ** 2 < 1;
        const noise = 24 * (random() + random() - 1);
        slice[o] =
          Math.hypot(x - 256, y - 256) > 255 ? -1024 : Math.round((inside ? (lung ? -850 : 40) : -1000) + noise);
      }
    yield Buffer.from(slice.buffer);
  }
}

if (!existsSync(file)) {
  console.error(`making ${file} …`);
  mkdirSync(tmpdir(), { recursive: true });
  await pipeline(
    Readable.from(volume(), { objectMode: false }),
    createGzip({ level: 6 }),
    createWriteStream(`${file}.part`),
  );
  renameSync(`${file}.part`, file);
}
// Into the page cache: what is measured is not the disk.
for await (const _ of createReadStream(file, { highWaterMark: 2 ** 22 }));

const cache = mkdtempSync(join(tmpdir(), 'unimiss-bench-cache-'));

/** @param again the image was open before: a coarse copy is there */
async function once(again: boolean): Promise<Record<string, string>> {
  const begun = performance.now();
  const cpu = process.cpuUsage();
  /** Time since the beginning, and that of all threads on processors, which says more on a busy machine. */
  const since = () => {
    const { user, system } = process.cpuUsage(cpu);
    return `${Math.round(performance.now() - begun)} (${Math.round((user + system) / 1000)})`;
  };
  const worker = new Worker(threadFile);
  const waiting = new Map<number, (result: unknown) => void>();
  let settled: (() => void) | undefined;
  worker.on('message', (message: ThreadMessage) => {
    if ('reading' in message) {
      if (message.reading.share >= 1) settled?.();
      return;
    }
    if ('error' in message) throw new Error(message.error.what);
    waiting.get(message.id)?.(message.result);
  });
  let id = 0;
  const ask = <T extends ImageTask>(task: T, given: ImageTasks[T][0]) =>
    new Promise<ImageTasks[T][1]>((resolve) => {
      waiting.set(++id, resolve as (result: unknown) => void);
      worker.postMessage({ id, task, given });
    });
  const read = new Promise<void>((resolve) => {
    settled = resolve;
  });
  await ask('open', { path: file, cache });
  const times: Record<string, string> = { header: since() };
  const index = Math.floor(slices / 2);
  const first = ask('plane', { plane: 'axial', index, nearest: true });
  if (again)
    await Promise.all([
      first,
      ...(['coronal', 'sagittal'] as const).map((plane) => ask('plane', { plane, index: 256 })),
    ]);
  await first;
  times[again ? 'all three planes, coarse' : 'some axial plane'] = since();
  await ask('range', null);
  await ask('plane', { plane: 'axial', index });
  times['middle axial plane'] = since();
  await read;
  await Promise.all((['coronal', 'sagittal'] as const).map((plane) => ask('plane', { plane, index: 256 })));
  times['all three'] = since();
  const started = performance.now();
  const count = 60;
  for (let i = 0; i < count; i++) await ask('plane', { plane: 'axial', index: i });
  times['axial planes a second'] = `${Math.round((1000 * count) / (performance.now() - started))}`;
  // The copy is written after the last voxel has been read.
  if (!again)
    while (!readdirSync(cache).some((name) => name.endsWith('.coarse')))
      await new Promise((resolve) => setTimeout(resolve, 50));
  await worker.terminate();
  return times;
}

const rounds: Record<string, string>[] = [];
const opened: Record<string, string>[] = [];
for (let n = 0; n < Number(values.rounds); n++) {
  for (const name of readdirSync(cache)) rmSync(join(cache, name));
  rounds.push(await once(false));
  opened.push(await once(true));
}
rmSync(cache, { recursive: true });
console.log(
  `${slices} slices, ${Math.round(statSync(file).size / 2 ** 20)} MiB; ms after the thread was asked for (ms of processor time until then):`,
);
for (const [title, all] of Object.entries({ 'for the first time': rounds, again: opened })) {
  console.log(title);
  for (const name of Object.keys(all[0] ?? {})) console.log(`  ${name}: ${all.map((one) => one[name]).join(', ')}`);
}
