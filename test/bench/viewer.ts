/**
 * Times how soon planes of a large volume are there: 512×512×600 int16 as `.nii.gz`, made up with the noise of a CT; over a slow line, and with
 * labels; and what memory is left when images are closed. Bundled beside dist/daemon/image-thread.js by `npm run bench:viewer`, which starts
 * that thread as the extension does.
 * Usage: npm run bench:viewer [-- --slices 600 --rounds 3 --only planes,line,labels,memory]
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
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { createGzip } from 'node:zlib';
import { niftiFixture } from '../../daemon/data/formats/nifti.fixture.ts';
import type { ImageTask, ImageTasks, ThreadMessage } from '../../images/messages.ts';
import type { PlaneRequest } from '../../protocol/viewer/planes.ts';
import { type LoadedPlane, readPiece } from '../../protocol/viewer/readPiece.ts';
import { paintOverlays } from '../../webviews/viewer/paint.ts';
import { PlaneLoader } from '../../webviews/viewer/planeLoader.ts';

const { values } = parseArgs({
  options: {
    slices: { type: 'string', default: '600' },
    rounds: { type: 'string', default: '3' },
    only: { type: 'string', default: 'planes,line,labels,memory' },
  },
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

/** A thread as the extension starts it. */
class Thread {
  private readonly worker = new Worker(threadFile);
  private readonly waiting = new Map<number, (result: unknown) => void>();
  private id = 0;
  private settled: (() => void) | undefined;
  /** Resolves when the image has been read. */
  readonly read = new Promise<void>((resolve) => {
    this.settled = resolve;
  });

  constructor() {
    this.worker.on('message', (message: ThreadMessage) => {
      if ('reading' in message) {
        if (message.reading.share >= 1) this.settled?.();
        return;
      }
      if ('error' in message) throw new Error(message.error.what);
      this.waiting.get(message.id)?.(message.result);
      this.waiting.delete(message.id);
    });
  }

  ask<T extends ImageTask>(task: T, given: ImageTasks[T][0]): Promise<ImageTasks[T][1]> {
    return new Promise((resolve) => {
      this.waiting.set(++this.id, resolve as (result: unknown) => void);
      this.worker.postMessage({ id: this.id, task, given });
    });
  }

  async end(): Promise<void> {
    await this.worker.terminate();
  }
}

/** @param again the image was open before: a coarse copy is there */
async function once(again: boolean): Promise<Record<string, string>> {
  const begun = performance.now();
  const cpu = process.cpuUsage();
  /** Time since the beginning, and that of all threads on processors, which says more on a busy machine. */
  const since = () => {
    const { user, system } = process.cpuUsage(cpu);
    return `${Math.round(performance.now() - begun)} (${Math.round((user + system) / 1000)})`;
  };
  const thread = new Thread();
  const ask = thread.ask.bind(thread);
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
  await thread.read;
  await Promise.all((['coronal', 'sagittal'] as const).map((plane) => ask('plane', { plane, index: 256 })));
  times['all three'] = since();
  const started = performance.now();
  const count = 60;
  for (let i = 0; i < count; i++) await ask('plane', { plane: 'axial', index: i });
  times['axial planes a second'] = `${Math.round((1000 * count) / (performance.now() - started))}`;
  // The copy is written after the last voxel has been read.
  if (!again) while (!readdirSync(cache).some((name) => name.endsWith('.coarse'))) await pause(50);
  await thread.end();
  return times;
}

async function planes(): Promise<void> {
  const rounds: Record<string, string>[] = [];
  const opened: Record<string, string>[] = [];
  for (let n = 0; n < Number(values.rounds); n++) {
    for (const name of readdirSync(cache)) rmSync(join(cache, name));
    rounds.push(await once(false));
    opened.push(await once(true));
  }
  console.log(
    `${slices} slices, ${Math.round(statSync(file).size / 2 ** 20)} MiB; ms after the thread was asked for (ms of processor time until then):`,
  );
  for (const [title, all] of Object.entries({ 'for the first time': rounds, again: opened })) {
    console.log(title);
    for (const name of Object.keys(all[0] ?? {})) console.log(`  ${name}: ${all.map((one) => one[name]).join(', ')}`);
  }
}

/** There and back, ms, and bytes a millisecond: 100 Mbit/s. */
const line = { delay: 50, bytes: 12_500 };

/** The page's own loader before the thread, with such a line between them: a wheel that turns by 30 planes a second. */
async function overLine(): Promise<void> {
  const thread = new Thread();
  const begun = performance.now();
  await pause(line.delay / 2);
  await thread.ask('open', { path: file });
  await pause(line.delay / 2);
  let [free, bytes] = [0, 0];
  let changed: (() => void) | undefined;
  const carry = async (request: PlaneRequest) => {
    await pause(line.delay / 2);
    const piece = await thread.ask('plane', request);
    bytes += piece.deflated.length;
    const now = performance.now();
    free = Math.max(now, free) + piece.deflated.length / line.bytes;
    await pause(free - now + line.delay / 2);
    await loader.receive(piece);
  };
  const loader = new PlaneLoader(
    0,
    (request) => void carry(request),
    () => changed?.(),
  );
  const arrival = () =>
    new Promise<void>((resolve) => {
      changed = resolve;
    });
  loader.get('axial', Math.floor(slices / 2), true);
  await arrival();
  const first = performance.now() - begun;
  await thread.read;
  loader.readMore(true);
  const times: number[] = [];
  let last: number | undefined;
  bytes = 0;
  const start = performance.now();
  for (let index = 20; index < Math.min(slices, 140); index++) {
    const shown = loader.get('axial', index, false)?.index;
    if (shown !== last) times.push(performance.now());
    last = shown;
    await pause(start + (index - 19) * (1000 / 30) - performance.now());
  }
  const gaps = times.slice(1).map((time, i) => time - (times[i] ?? 0));
  const seconds = (performance.now() - start) / 1000;
  console.log(
    `over a line of ${line.delay} ms and 100 Mbit/s: first plane after ${Math.round(first)} ms; a wheel of 30 planes a second shows ${(times.length / seconds).toFixed(1)} planes a second, at most ${Math.round(Math.max(...gaps))} ms apart, ${Math.round(bytes / seconds / 1024)} KiB a second`,
  );
  await thread.end();
}

/** Blocks of labels, the same voxels however many labels there are. */
function* labelMap(labels: number): Generator<Buffer> {
  yield niftiFixture({ size: [512, 512, slices], type: 2, pixdim: [0.8, 0.8, 1], values: [] });
  for (let k = 0; k < slices; k++) {
    const slice = new Uint8Array(512 * 512);
    for (let y = 100; y < 412; y++)
      for (let x = 60; x < 452; x++) {
        const block = Math.floor(x / 40) + 11 * Math.floor(y / 40) + 3 * Math.floor(k / 40);
        if ((x % 40) + (y % 40) < 60) slice[512 * y + x] = 1 + (block % labels);
      }
    yield Buffer.from(slice.buffer);
  }
}

/** Time of all threads on processors, ms: what other programs do counts less. */
function processor(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

async function withLabels(): Promise<void> {
  const found: Record<number, number[]> = {};
  for (const labels of [1, 117]) {
    const path = join(cache, `labels-${labels}.nii.gz`);
    await pipeline(
      Readable.from(labelMap(labels), { objectMode: false }),
      createGzip({ level: 1 }),
      createWriteStream(path),
    );
    const runs: number[][] = [];
    for (let round = 0; round < Number(values.rounds); round++) {
      const thread = new Thread();
      await thread.ask('open', { path: file });
      await thread.read;
      const times = [processor()];
      const info = await thread.ask('addLayer', { path, added: true });
      times.push(processor());
      const overlays: LoadedPlane[] = [];
      for (let index = 0; index < 60; index++)
        overlays.push(await readPiece(await thread.ask('plane', { plane: 'axial', index, layer: 1 })));
      times.push(processor());
      const look = { visible: true, style: 'fill', opacity: 0.4, hidden: [] } as const;
      const pixels = new Uint8ClampedArray(4 * 512 * 512);
      for (const plane of overlays) {
        const [layers, window] = [[{ info, look, plane }], { low: 0, high: 1 }];
        paintOverlays({ plane, window, colors: 'grey', layers, compared: undefined }, pixels);
      }
      times.push(processor());
      runs.push(times.slice(1).map((time, i) => time - (times[i] ?? 0)));
      await thread.end();
    }
    found[labels] = [0, 1, 2].map((part) => Math.min(...runs.map((times) => times[part] ?? 0)));
  }
  for (const [part, name] of ['read and counted', '60 planes cut and fetched', '60 planes painted'].entries()) {
    const [one = 0, many = 0] = [found[1]?.[part], found[117]?.[part]];
    const more = Math.round((100 * many) / one - 100);
    console.log(
      `labels, ${name}: 1 label ${Math.round(one)} ms, 117 labels ${Math.round(many)} ms of processor time (${more} %)`,
    );
  }
}

/** Memory of this process, with all threads, after images were opened, looked at and closed. */
async function memory(): Promise<void> {
  const use = async () => {
    const thread = new Thread();
    await thread.ask('open', { path: file });
    await thread.read;
    for (const plane of ['axial', 'coronal', 'sagittal'] as const) await thread.ask('plane', { plane, index: 100 });
    const open = process.memoryUsage().rss;
    await thread.end();
    return open;
  };
  const mib = (bytes: number) => Math.round(bytes / 2 ** 20);
  const before = process.memoryUsage().rss;
  const open = await use();
  const first = process.memoryUsage().rss;
  for (let n = 1; n < 20; n++) await use();
  const last = process.memoryUsage().rss;
  console.log(
    `memory: ${mib(before)} MiB before, ${mib(open)} MiB with an image open, ${mib(first)} MiB after it was closed, ${mib(last)} MiB after 20`,
  );
}

const parts: Readonly<Record<string, () => Promise<void>>> = { planes, line: overLine, labels: withLabels, memory };
for (const name of values.only.split(',')) await parts[name]?.();
rmSync(cache, { recursive: true });
