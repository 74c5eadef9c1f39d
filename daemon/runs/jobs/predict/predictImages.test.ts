import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decode, encode } from 'fast-png';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PredictTask, predictTaskSchema } from '../../../../protocol/jobs/predictMessages.ts';
import { makeReadOnly, noSmallDisk, onSmallDisk } from '../../../../test/smallDisk.ts';
import { dicomFixture } from '../../../data/formats/dicom/dicom.fixture.ts';
import { readLabels, readVolume } from '../../../data/formats/image.ts';
import { writeNifti } from '../../../data/formats/niftiWriter.ts';
import { orient, walkAffine } from '../../../data/formats/orientation.ts';
import type { StoredCase } from '../../../data/prepared/readCase.ts';
import { keepLargest } from '../../../infer/largestComponent.ts';
import { exportRun } from '../../export/exportRun.ts';
import { GrowingLabels } from './growingLabels.ts';
import { smallPlan, untrainedExport, untrainedRun } from './network.fixtures.ts';
import { openSources } from './openSources.ts';
import { predictImages } from './predictImages.ts';

const base = mkdtempSync(join(tmpdir(), 'unimiss-predict-'));
afterAll(() => rmSync(base, { recursive: true }));

let network: string;
beforeAll(async () => {
  network = await untrainedExport(join(base, 'network'));
});

function predict(input: string, out: string, change: Partial<PredictTask> = {}, run = network) {
  const task = predictTaskSchema.parse({ run, input, out, ...change });
  return openSources([task.run, ...task.folds]).then((sources) => predictImages(sources, task, () => undefined));
}

const [slices, side] = [12, 40] as const;
/** A bright ball in noise. */
function ball(seed = 1): Int16Array {
  let state = seed;
  return Int16Array.from({ length: slices * side * side }, (_, i) => {
    const [z, y, x] = [Math.floor(i / side ** 2), Math.floor(i / side) % side, i % side];
    state = (state * 48271) % 2147483647;
    return (Math.hypot(2 * (z - 6), y - 18, x - 22) < 12 ? 1000 : 200) + (state % 64);
  });
}

/** A DICOM series with the head at the end. */
function series(name: string): string {
  const folder = join(base, name);
  mkdirSync(folder);
  const values = ball();
  for (let k = 0; k < slices; k++)
    writeFileSync(
      join(folder, `IM${k}`),
      dicomFixture({
        ...{ rows: side, columns: side, position: [5, 6, 4 * k], pixelSpacing: [2, 2], number: k + 1 },
        values: [...values.subarray(k * side ** 2, (k + 1) * side ** 2)],
      }),
    );
  return folder;
}

async function volumes(name: string, count: number): Promise<string> {
  const folder = join(base, name);
  mkdirSync(folder);
  for (let n = 0; n < count; n++)
    await writeNifti(join(folder, `v${n}.nii.gz`), {
      shape: [slices, side, side],
      spacing: [4, 2, 2],
      data: ball(n + 1),
    });
  return folder;
}

it('the labels of a volume can be seen slice by slice while they grow, in its own grid', async () => {
  const plan = smallPlan;
  const grid = {
    format: 'nifti',
    size: [side, side - 1, slices],
    type: 'int16',
    // Stored to the left, to the front and up: three axes to be turned.
    affine: [
      [-2, 0, 0, 10],
      [0, 2, 0, 20],
      [0, 0, 4, 30],
    ],
  } as const;
  const size = [slices, side - 1, side] as const;
  const path = join(base, 'growing.nii');
  const stored = { size, spacing: [4, 2, 2], channels: [], notices: [], grid } as unknown as StoredCase;
  const growing = await GrowingLabels.open(path, stored, plan);
  const map = Uint8Array.from({ length: size[0] * size[1] * size[2] }, (_, i) => (i % 7 === 0 ? 1 : 0));
  await growing?.add(5, [map]);
  await growing?.close();
  // Nor is a file that is there already emptied.
  await expect(GrowingLabels.open(path, stored, plan)).rejects.toMatchObject({
    code: 'disk',
    details: { place: path },
  });
  const seen = await readLabels(path);
  expect(seen.shape).toEqual(size);
  const plane = size[1] * size[2];
  const value = plan.classes[1]?.values[0] ?? -1;
  expect([...seen.data]).toEqual([...map].map((one, i) => (i < 5 * plane && one === 1 ? value : 0)));
  expect([...(seen.grid.labelNames ?? [])]).toContainEqual([value, plan.classes[1]?.name]);
  expect(seen.affine.flat().map((one) => one + 0)).toEqual(
    walkAffine(grid.affine, grid.size, orient(grid.affine, grid.size))
      .flat()
      .map((one) => one + 0),
  );
});

it('a prediction writes them where it is asked to, and the same result', async () => {
  const input = join(await volumes('grown', 1), 'v0.nii.gz');
  const growing = join(base, 'v0-growing.nii');
  const result = await predict(input, join(base, 'grown-out'), { growing });
  expect(result.failed).toEqual([]);
  const [seen, labels] = [await readLabels(growing), await readLabels(result.predicted[0]?.files[0] ?? '')];
  expect(seen.shape).toEqual(labels.shape);
  const differ = [...seen.data].filter((value, i) => value !== 0 && value !== labels.data[i]);
  expect(differ).toEqual([]);
});

it('a DICOM series gets a DICOM segmentation beside the NIfTI file: the same labels on its grid', async () => {
  const input = series('series');
  const out = join(base, 'from-series');
  const result = await predict(input, out);
  expect(result.failed).toEqual([]);
  expect(result.predicted[0]).toMatchObject({
    files: [join(out, 'series.nii.gz'), join(out, 'series.dcm')],
    notices: [],
  });
  const { grid } = await readVolume(input);
  const nifti = await readLabels(join(out, 'series.nii.gz'));
  const seg = await readLabels(join(out, 'series.dcm'), { into: grid });
  expect(new Set(nifti.data).size).toBeGreaterThan(1);
  expect(Buffer.from(seg.data).equals(Buffer.from(nifti.data))).toBe(true);
  for (const [label, name] of seg.grid.labelNames ?? []) expect(nifti.grid.labelNames?.get(label)).toBe(name);
  expect(seg.grid.labelNames?.size).toBeGreaterThan(0);
  expect(statSync(join(out, 'series.dcm')).mode & 0o77).toBe(0);
  const again = await predict(input, out);
  expect(again).toMatchObject({ skipped: 1, predicted: [] });
  writeFileSync(join(input, 'IM3'), readFileSync(join(input, 'IM3'))); // a slice is written anew
  expect(await predict(input, out)).toMatchObject({ skipped: 0 });
});

it('a preview shows three planes with the labels in colours; statistics agree with the labels', async () => {
  const input = await volumes('previewed', 1);
  const out = join(base, 'previews');
  const { predicted, table } = await predict(input, out, { preview: true, statistics: true });
  const { width, height, data, channels } = decode(readFileSync(join(out, 'v0.preview.png')));
  expect(channels).toBe(3);
  // Axial 80×80 mm, coronal and sagittal 80×48 mm, 256 pixels wide each, with two gaps between.
  expect([width, height]).toEqual([256 * 3 + 12, 256]);
  const lit = (x: number, y: number) => data[3 * (y * width + x)]! > 0;
  expect([lit(128, 20), lit(390, 20), lit(390, 128)]).toEqual([true, false, true]); // above a coronal plane is nothing
  let colored = 0;
  for (let i = 0; i < data.length; i += 3) if (data[i] !== data[i + 1] || data[i] !== data[i + 2]) colored++;
  expect(colored).toBeGreaterThan(20);
  const labels = await readLabels(join(out, 'v0.nii.gz'));
  const liver = [...labels.data].filter((label) => label === 5).length;
  expect(predicted[0]?.statistics?.[0]).toMatchObject({ class: 'liver', voxels: liver, milliliters: liver * 0.016 });
  const rows = readFileSync(table ?? '', 'utf8')
    .trim()
    .split('\n');
  expect(rows[0]).toBe('path,class,voxels,ml,mean,touchesBorder');
  expect(rows).toHaveLength(3);
  expect(rows[1]).toMatch(/,(true|false)$/);
});

it.each(['exclusive', 'overlapping'] as const)(
  'probabilities on request agree with the labels: %s classes',
  async (labels) => {
    const input = await volumes(`for-${labels}`, 1);
    const classes = labels === 'exclusive' ? smallPlan.classes : smallPlan.classes.slice(1);
    // Labels in a finer grid than that of the scores.
    const run = await untrainedExport(join(base, labels), { labels, classes, spacing: [5, 2.5, 2.5] });
    const out = join(base, `probabilities-${labels}`);
    const { predicted } = await predict(input, out, { probabilities: true }, run);
    const of = async (name: string) => (await readVolume(join(out, `v0.${name}.probability.nii.gz`))).volume.data;
    const [liver, spleen] = [await of('liver'), await of('spleen')];
    expect(predicted[0]?.files).toContain(join(out, 'v0.liver.probability.nii.gz'));
    expect(readdirSync(out).filter((name) => name.startsWith('.'))).toEqual([]);
    const maps = labels === 'exclusive' ? ['v0'] : ['v0.liver', 'v0.spleen'];
    const [first, second] = await Promise.all(maps.map((name) => readLabels(join(out, `${name}.nii.gz`))));
    const rounding = 2 / 65535;
    let wrong = 0;
    for (let i = 0; i < liver.length; i++) {
      const [a, b] = [liver[i]!, spleen[i]!];
      if (second) {
        if (Math.abs(a - 0.5) > rounding && a > 0.5 !== (first?.data[i] === 1)) wrong++;
        if (Math.abs(b - 0.5) > rounding && b > 0.5 !== (second.data[i] === 1)) wrong++;
      } else {
        const best = Math.max(a, b, 1 - a - b);
        const own = first?.data[i] === 5 ? a : first?.data[i] === 7 ? b : 1 - a - b;
        if (own < best - 2 * rounding || best < 1 / 3) wrong++;
      }
    }
    expect(wrong).toBe(0);
    expect(new Set(first?.data).size).toBeGreaterThan(1);
  },
);

it('an export gives the labels of its run, and so do both of them in a folder of folds, bit by bit', async () => {
  const input = await volumes('for-export', 1);
  const folds = join(base, 'folds');
  mkdirSync(folds);
  const run = await untrainedRun(folds);
  const exported = join(folds, 'exported');
  await exportRun(run, exported, { network: 'student', onNotice: () => undefined });
  const labelsOf = async (name: string, from: string) => {
    const { step } = await predict(input, join(base, name), {}, from);
    expect(step).toBe(7);
    return readFileSync(join(base, name, 'v0.nii.gz'));
  };
  const expected = await labelsOf('from-run', run.folder);
  expect(new Set((await readLabels(join(base, 'from-run', 'v0.nii.gz'))).data).size).toBeGreaterThan(1);
  expect((await labelsOf('from-export', exported)).equals(expected)).toBe(true);
  expect((await labelsOf('from-folds', folds)).equals(expected)).toBe(true);
});

it('classes of images are tabulated, and averaged for each patient that a table or DICOM names', async () => {
  const folder = join(base, 'pictures');
  mkdirSync(folder);
  for (const [n, name] of ['a', 'b', 'c'].entries()) {
    const data = Uint8Array.from({ length: 64 * 64 }, (_, i) => (i * (n + 2) * 7) % 251);
    writeFileSync(join(folder, `${name}.png`), encode({ width: 64, height: 64, data, depth: 8, channels: 1 }));
  }
  const values = Array.from({ length: 64 * 64 }, (_, i) => i % 97);
  writeFileSync(join(folder, 'd.dcm'), dicomFixture({ rows: 64, columns: 64, position: undefined, values }));
  const table = join(folder, 'cases.csv');
  writeFileSync(table, 'path,patient\na.png,P7\nb.png,\nc.png,P7\nd.dcm,\n');
  const run = await untrainedExport(join(base, 'classifier'), {
    ...{
      problem: 'classification',
      modality: '2D',
      patch: [64, 64],
      channels: [{ name: 'X-ray', normalization: { scheme: 'range' } }],
    },
    classes: ['healthy', 'ill'].map((name, k) => ({ name, values: [k] })),
  });
  const out = join(base, 'classified');
  const result = await predict(table, out, {}, run);
  expect(result.failed).toEqual([]);
  const rows = (name: string) =>
    readFileSync(join(out, name), 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split(','));
  const [head, ...images] = rows('predictions.csv');
  expect(head).toEqual(['path', 'predicted', 'healthy', 'ill']);
  expect(images.map(([path]) => path)).toEqual(['a.png', 'b.png', 'c.png', 'd.dcm'].map((name) => join(folder, name)));
  const [patientHead, ...patients] = rows('patients.csv');
  expect(patientHead).toEqual(['patient', 'images', 'predicted', 'healthy', 'ill']);
  expect(patients.map(([patient, count]) => [patient, count])).toEqual([
    ['P7', '2'],
    ['1', '1'], // DICOM's Patient ID
  ]);
  const healthy = (row = 0) => Number(images[row]?.[2]);
  expect(Number(patients[0]?.[3])).toBeCloseTo((healthy(0) + healthy(2)) / 2, 5);
  expect(healthy(0)).not.toBeCloseTo(healthy(2), 5);
  writeFileSync(table, 'path,patient\na.png,P8\n');
  expect(await predict(table, out, {}, run)).toMatchObject({ skipped: 0 }); // another patient
  expect(rows('patients.csv')[1]?.[0]).toBe('P8');
});

it.each([
  ['path\nmissing.png\n', /cases\.csv:2.*names “missing\.png”, which does not exist/s],
  ['path\n../network/plan.json\n', /not in the table's folder/],
  ['image\na.png\n', /no column “path”/],
  ['path\n', /lists no images/],
])('a table that cannot be used is refused: %j', async (text, message) => {
  const folder = mkdtempSync(join(base, 'table-'));
  writeFileSync(join(folder, 'cases.csv'), text);
  await expect(predict(join(folder, 'cases.csv'), join(base, 'none'))).rejects.toThrow(message);
});

it('two networks are an ensemble: their scores are averaged, so the labels are of neither', async () => {
  const input = await volumes('for-folds', 1);
  const other = await untrainedExport(join(base, 'other'), {}, 2);
  const labelsOf = async (name: string, run: string, folds: string[] = []) => {
    await predict(input, join(base, name), { folds }, run);
    return Buffer.from((await readLabels(join(base, name, 'v0.nii.gz'))).data);
  };
  const [one, two] = [await labelsOf('one', network), await labelsOf('two', other)];
  const both = await labelsOf('both', network, [other]);
  expect(one.equals(two)).toBe(false);
  expect(both.equals(one)).toBe(false);
  expect(both.equals(await labelsOf('both-again', other, [network]))).toBe(true);
  // Where two networks agree on a class with the higher score, so do they together: most of the image.
  const agreed = [...both].filter((label, i) => label === one[i] || label === two[i]).length;
  expect(agreed / both.length).toBeGreaterThan(0.9);
});

it('a class that the plan names keeps its largest component only; in an ensemble, if all networks say so', async () => {
  const input = await volumes('for-components', 1);
  const single = await untrainedExport(join(base, 'single'), { largestComponent: ['liver'] });
  const labelsOf = async (name: string, run: string, folds: string[] = []) => {
    await predict(input, join(base, name), { folds }, run);
    return readLabels(join(base, name, 'v0.nii.gz'));
  };
  const all = await labelsOf('all-components', network);
  const { data } = await labelsOf('one-component', single);
  const expected = Uint8Array.from(all.data);
  keepLargest(expected, all.shape, new Set([5]));
  expect(Buffer.from(expected).equals(Buffer.from(all.data))).toBe(false);
  expect(Buffer.from(data).equals(Buffer.from(expected))).toBe(true);
  const both = await labelsOf('disagreeing', single, [network]);
  expect(Buffer.from(both.data).equals(Buffer.from(all.data))).toBe(true);
});

describe.skipIf(noSmallDisk)('a disk', () => {
  it('that is full leaves nothing half-written, and the message says how to go on', async () => {
    const folder = join(base, 'full');
    mkdirSync(folder);
    const input = await volumes('for-small-disk', 12);
    await onSmallDisk(folder, '32k', async (disk) => {
      const out = join(disk, 'labels');
      const failed = predict(input, out, { preview: true });
      await expect(failed).rejects.toMatchObject({ code: 'disk', what: 'no space is left on the disk' });
      await expect(failed).rejects.toThrow(/labels\/.*\n.*Free some space, then run the command again/s);
      const names = readdirSync(out);
      expect(names.filter((name) => name.endsWith('.partial'))).toEqual([]);
      const labels = names.filter((name) => name.endsWith('.nii.gz'));
      expect(labels.length).toBeGreaterThan(0);
      expect(labels.length).toBeLessThan(12);
      for (const name of labels) expect((await readLabels(join(out, name))).shape).toEqual([slices, side, side]);
      const lines = readFileSync(join(out, 'predicted.jsonl'), 'utf8').trimEnd().split('\n');
      for (const line of lines) expect(JSON.parse(line)).toHaveProperty('result.files');
      expect(lines.length).toBeLessThan(12);
    });
  });

  it('on which labels grow ends their showing, not the prediction', async () => {
    const folder = join(base, 'full-growing');
    mkdirSync(folder);
    const input = join(await volumes('for-full-growing', 1), 'v0.nii.gz');
    await onSmallDisk(folder, '16k', async (disk) => {
      const growing = join(disk, 'growing.nii');
      const result = await predict(input, join(folder, 'labels'), { growing });
      expect(result.failed).toEqual([]);
      expect(result.predicted[0]?.files).toHaveLength(1);
      expect(result.predicted[0]?.notices).toEqual([
        expect.stringMatching(/^Its labels could not be shown while they grew: .*no space is left on the disk/),
      ]);
      expect(readdirSync(disk)).toEqual([]);
    });
  });

  it('that is read-only is refused before anything is computed', async () => {
    const folder = join(base, 'read-only');
    mkdirSync(folder);
    const input = await volumes('for-read-only', 1);
    await onSmallDisk(folder, '64k', async (disk) => {
      makeReadOnly(disk);
      const failed = predict(input, join(disk, 'labels'), {}, join(base, 'network'));
      await expect(failed).rejects.toMatchObject({ code: 'disk', what: 'the file system is read-only' });
      await expect(failed).rejects.toThrow(/labels.*\n.*--out/s);
    });
  });
});
