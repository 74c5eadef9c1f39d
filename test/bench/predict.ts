import { createWriteStream, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { createGzip } from 'node:zlib';
import { readLabels } from '../../daemon/data/formats/image.ts';
import { encodeNifti } from '../../daemon/data/formats/niftiWriter.ts';
import type { Size3 } from '../../daemon/data/prepared/types.ts';
import { segment } from '../../daemon/runs/jobs/predict/labelImage.ts';
import { untrainedExport } from '../../daemon/runs/jobs/predict/network.fixtures.ts';
import { openNetworks } from '../../daemon/runs/jobs/predict/network.ts';
import { openSources } from '../../daemon/runs/jobs/predict/openSources.ts';
import { folderOf } from '../needs.ts';

/**
 * Parts of the benchmark of prediction (scripts/bench.mjs starts them):
 *   image --size D,H,W --spacing z,x,y --out FILE.nii.gz      a CT, int16, made slice by slice
 *   network --preset tiny --patch D,H,W --spacing z,x,y --classes N --out FOLDER    an export with random weights; N without the background
 *   windows --network FOLDER --image D,H,W                    labels of a random image; prints one JSON line with the seconds a window
 */
const {
  positionals: [command],
  values,
} = parseArgs({
  allowPositionals: true,
  options: {
    size: { type: 'string', default: '280,512,512' },
    spacing: { type: 'string', default: '1.5,0.8,0.8' },
    preset: { type: 'string', default: 'tiny' },
    patch: { type: 'string', default: '48,192,192' },
    classes: { type: 'string', default: '117' },
    network: { type: 'string', default: '' },
    image: { type: 'string', default: '72,288,288' },
    out: { type: 'string', default: '' },
  },
});
const three = (text: string) => text.split(',').map(Number) as [number, number, number];

if (command === 'image') await writeImage();
else if (command === 'network') await writeNetwork();
else if (command === 'windows') await timeWindows();
else throw new RangeError(`no part of the benchmark is called ${command}`);
process.exit(0);

/** Where the anatomy is real (`UNIMISS_LABELLED`), organs of a body; else ellipsoids. Noise of 20 HU, as a scanner has, makes it as large as a CT is. */
async function writeImage(): Promise<void> {
  const [slices, rows, columns] = three(values.size);
  const root = folderOf('labelled');
  const body = root ? await readLabels(join(root, 'organs', 'labelsTr', 'body.nii.gz')) : undefined;
  const [d, h, w] = body?.shape ?? [slices, rows, columns];
  const labelAt = (z: number, y: number, x: number) => {
    const inside = ((y / rows - 0.5) / 0.36) ** 2 + ((x / columns - 0.5) / 0.45) ** 2 < 1;
    if (!body) return inside ? 1 + (((z >> 5) + (y >> 6) + (x >> 6)) % 8) : -1;
    const own = (Math.floor((z * d) / slices) * h + Math.floor((y * h) / rows)) * w + Math.floor((x * w) / columns);
    return body.data[own]! || (inside ? 0 : -1);
  };
  mkdirSync(dirname(values.out), { recursive: true });
  let state = 1;
  const noise = () => {
    let sum = 0;
    for (let i = 0; i < 3; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      sum += state / 2 ** 32 - 0.5;
    }
    return Math.round(40 * sum);
  };
  function* pieces() {
    const spacing = three(values.spacing);
    const plane = rows * columns;
    // The header of a volume of this size, before the voxels.
    const header = encodeNifti({ shape: [2, 2, 2], spacing, data: new Int16Array(8) }).subarray(0, 352);
    for (const [i, n] of [columns, rows, slices].entries()) header.writeInt16LE(n, 42 + 2 * i);
    yield header;
    for (let z = 0; z < slices; z++) {
      const slice = new Int16Array(plane);
      for (let y = 0, p = 0; y < rows; y++)
        for (let x = 0; x < columns; x++, p++) {
          const label = labelAt(z, y, x);
          slice[p] = label < 0 ? -1000 + Math.abs(noise() >> 2) : ((label * 37) % 200) - 100 + noise();
        }
      yield Buffer.from(slice.buffer);
    }
  }
  await pipeline(
    Readable.from(pieces(), { objectMode: false }),
    createGzip({ level: 1 }),
    createWriteStream(values.out),
  );
}

async function writeNetwork(): Promise<void> {
  await untrainedExport(values.out, {
    preset: values.preset as 'tiny',
    patch: three(values.patch),
    spacing: three(values.spacing),
    classes: Array.from({ length: Number(values.classes) + 1 }, (_, k) => ({
      name: k === 0 ? 'background' : `class ${k}`,
      values: [k],
    })),
    channels: [{ name: 'CT', normalization: { scheme: 'clip', range: [-1024, 325], mean: -158.58, deviation: 324.7 } }],
  });
}

async function timeWindows(): Promise<void> {
  const network = await openNetworks(await openSources([values.network]), 'best', () => undefined);
  const size: Size3 = three(values.image);
  let state = 1;
  const image = Float32Array.from({ length: size[0] * size[1] * size[2] }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
  const prepared = { size, channels: 1, image };
  const zeros = new Float32Array(network.window.reduce((all, n) => all * n, 1));
  for (const run of network.runs) await run(zeros); // traces and warms up
  const began = performance.now();
  await segment(network, prepared, size, { overlap: 0.5, mirror: false });
  const seconds = (performance.now() - began) / 1000;
  const windows = ([0, 1, 2] as const)
    .map((axis) => Math.max(1, Math.ceil((size[axis] - network.window[axis]) / (network.window[axis] / 2)) + 1))
    .reduce((all, n) => all * n, 1);
  console.log(JSON.stringify({ windows, secondsPerWindow: seconds / windows }));
}
