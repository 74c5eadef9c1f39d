import { basename, join } from 'node:path';
import { encode } from 'fast-png';
import { requirePretrain } from '../../../protocol/config/pretrain/index.ts';
import type { AttendResult, AttendTask } from '../../../protocol/jobs/lookMessages.ts';
import { inspectImage, readImage } from '../../data/formats/image.ts';
import type { Affine } from '../../data/formats/niftiGeometry.ts';
import { writeNifti } from '../../data/formats/niftiWriter.ts';
import { type PlainBox, plainBox2D, plainBoxes3D, plainView2D, plainViews3D } from '../../data/plainViews.ts';
import { readPlaced } from '../../data/volumes.ts';
import { writeAtomically } from '../../files/atomic.ts';
import { requireFolder } from '../../files/folder.ts';
import { type Attend, createAttend } from '../../infer/attend.ts';
import type { RunFolder } from '../folder/runFolder.ts';
import { openRunEngine } from '../start/openRunEngine.ts';
import { backboneOf } from './embedRun.ts';
import { privateMode } from './predict/writeLabels.ts';

/**
 * Writes where the network of a pre-training run looks in an image.
 * @throws UnimissError 'data' if the image cannot be read, 'checkpoint' if the run has none
 */
export async function attendImage(
  run: RunFolder,
  { image, out, network }: Omit<AttendTask, 'run'>,
  onProgress: (what: string, done: number, total: number) => void,
): Promise<AttendResult> {
  const notices: string[] = [...run.notices];
  const onNotice = (message: string) => notices.push(message);
  const config = requirePretrain(run.config);
  const phase = (await inspectImage(image)).kind;
  const { engine } = await openRunEngine(config.engine, await run.versions(), onNotice);
  const backbone = await backboneOf(run, engine, { network, weights: 'last', onNotice });
  const attend = createAttend(engine, backbone, phase);
  try {
    await requireFolder(out);
    const base = join(out, `${basename(image).replace(/\.(nii(\.gz)?|[a-z]{3,4})$/i, '')}.attention`);
    const file = phase === '2D' ? `${base}.png` : `${base}.nii.gz`;
    if (phase === '2D') await writePicture(file, image, attend, config.model.size2D);
    else {
      const { resample, spacing } = config.data;
      const placed = await readPlaced(image, resample ? spacing : undefined);
      await writeVolume(file, placed, attend, config.model.size3D, onProgress);
    }
    return { file, phase, grid: [...attend.grid], notices };
  } finally {
    attend.dispose();
    backbone.parameters.dispose();
  }
}

async function writePicture(file: string, image: string, attend: Attend, size: readonly [number, number]) {
  const picture = await readImage(image);
  const box = plainBox2D(picture, size);
  const attention = await attend.run(plainView2D(picture, size));
  const most = Math.max(...attention);
  const { width, height } = picture;
  const [rows = 1, columns = 1] = attend.grid;
  const data = new Uint8Array(width * height);
  for (let y = 0; y < box.height; y++)
    for (let x = 0; x < box.width; x++) {
      const cell = Math.floor((y * rows) / box.height) * columns + Math.floor((x * columns) / box.width);
      data[(box.top + y) * width + box.left + x] = Math.round((255 * (attention[cell] ?? 0)) / most);
    }
  const png = encode({ width, height, data, channels: 1, depth: 8 });
  await writeAtomically(file, (handle) => handle.writeFile(png), { mode: privateMode });
}

/** Of a volume: slices as the network gets them, patches in the plane; where windows overlap, their mean. */
async function writeVolume(
  file: string,
  { volume, affine }: Awaited<ReturnType<typeof readPlaced>>,
  attend: Attend,
  size: readonly [number, number, number],
  onProgress: (what: string, done: number, total: number) => void,
) {
  const boxes = plainBoxes3D(volume, size);
  const views = plainViews3D(volume, size);
  const [depth = 1, rows = 1, columns = 1] = attend.grid;
  const [first] = boxes;
  if (!first) throw new Error('a volume without views: a defect');
  // Boxes are tiles of one size side by side, and windows of slices.
  const [left, top] = [1, 2].map((axis) => Math.min(...boxes.map(({ start }) => start[axis as 1 | 2])));
  const tiles = Math.max(...boxes.map(({ start, size: own }) => Math.round((start[1] - (left ?? 0)) / own[1]))) + 1;
  const shape = [volume.shape[0], tiles * rows, tiles * columns] as const;
  const sum = new Float32Array(shape[0] * shape[1] * shape[2]);
  const times = new Uint16Array(shape[0]);
  for (const [i, view] of views.entries()) {
    onProgress('Attention', i, views.length);
    const attention = await attend.run(view);
    const { start, size: own } = boxes[i] ?? first;
    const tileX = Math.round((start[1] - (left ?? 0)) / own[1]);
    const tileY = Math.round((start[2] - (top ?? 0)) / own[2]);
    for (let s = 0; s < own[0]; s++) {
      const slice = start[0] + s;
      if (slice < 0 || slice >= shape[0]) continue; // padding
      if (tileX === 0 && tileY === 0) times[slice] = (times[slice] ?? 0) + 1;
      const layer = Math.floor((s * depth) / own[0]);
      for (let r = 0; r < rows; r++)
        for (let c = 0; c < columns; c++) {
          const to = (slice * shape[1] + tileX * rows + r) * shape[2] + tileY * columns + c;
          sum[to] = (sum[to] ?? 0) + (attention[(layer * rows + r) * columns + c] ?? 0);
        }
    }
  }
  const plane = shape[1] * shape[2];
  for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] ?? 0) / Math.max(1, times[Math.floor(i / plane)] ?? 1);
  const most = sum.reduce((a, b) => Math.max(a, b), 0) || 1;
  const data = sum.map((value) => value / most);
  const placed = patchAffine(affine, first, [left ?? 0, top ?? 0], [rows, columns]);
  const length = (axis: 0 | 1 | 2) => Math.hypot(placed[0][axis], placed[1][axis], placed[2][axis]);
  await writeNifti(file, { shape, data, affine: placed, spacing: [length(0), length(1), length(2)] }, privateMode);
}

/** Where patches lie: along slices as the volume, in the plane in steps of a patch, from the middle of the first one. */
function patchAffine(
  affine: Affine,
  { size }: PlainBox,
  [left, top]: readonly [number, number],
  [rows, columns]: readonly [number, number],
): Affine {
  const [x, y] = [size[1] / rows, size[2] / columns];
  return affine.map((row) => [
    row[0],
    row[1] * x,
    row[2] * y,
    row[3] + row[1] * (left + (x - 1) / 2) + row[2] * (top + (y - 1) / 2),
  ]) as unknown as Affine;
}
