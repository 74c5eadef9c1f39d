import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { smallestModel as config } from '../../../test/smallestModel.ts';
import { SafetensorsFile } from '../../checkpoint/safetensorsReader.ts';
import { writeSafetensors } from '../../checkpoint/safetensorsWriter.ts';
import type { MitConfig } from '../../model/config.ts';
import { type DownstreamConfig, downstreamTable } from '../../model/downstream.ts';
import { type ParameterSpec, parameterTable } from '../../model/parameters.ts';
import { resizePerAxis, stemFor, zoomRows } from './adaptValues.ts';
import { positionGrids } from './positionGrids.ts';
import { describeWeights, planWeights, takeWeights } from './takeWeights.ts';

const folder = mkdtempSync(join(tmpdir(), 'unimiss-weights-'));
afterAll(() => rmSync(folder, { recursive: true }));

const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
const required = ({ group, grid }: ParameterSpec) => group === 'backbone' && grid === undefined;
const fresh = (spec: ParameterSpec) => new Float32Array(size(spec.shape)).fill(-1);

/** Opens a file with the parameters of a network, all 2, and other given tensors. */
async function weightsOf(of: MitConfig, more: readonly string[] = [], prefix = ''): Promise<SafetensorsFile> {
  const path = join(folder, 'weights.safetensors');
  const tensor = (name: string, shape: readonly number[]) => ({
    name: prefix + name,
    shape: [...shape],
    dtype: 'F32' as const,
    read: () => new Float32Array(size(shape)).fill(2),
  });
  const all = parameterTable(of).map(({ name, shape }) => tensor(`student.${name}`, shape));
  await writeSafetensors(path, [...all, ...more.map((name) => tensor(name, [1]))], {});
  return SafetensorsFile.open(path);
}

test('weights of another size and head: what was taken, resized, left fresh, unused', async () => {
  const file = await weightsOf(config, ['student.extra', 'teacher.extra']);
  const specs = parameterTable({ ...config, size2D: [128, 128], head: { ...config.head, out: 64 } });
  try {
    const { first, report } = await takeWeights(file, specs, { fresh, required, sameSlices: true });
    expect(report.resized.map(({ name, from, to }) => [name, from, to])).toContainEqual([
      'backbone.transformer.pos_embed2D1',
      [16, 16],
      [32, 32],
    ]);
    expect(report.resized).toHaveLength(7); // four of the encoder's stages, three of the decoder
    expect(report.fresh).toEqual(['head.last_layer.weight_v']);
    expect(report.unused).toEqual(['student.extra']);
    const learning = specs.filter(({ learns }) => learns);
    expect(report.taken).toHaveLength(learning.length - 8);
    for (const spec of learning) {
      const values = first(spec);
      expect(values).toHaveLength(size(spec.shape));
      const expected = spec.name === 'head.last_layer.weight_v' ? -1 : 2;
      expect(values.every((value) => Math.abs(value - expected) < 1e-5)).toBe(true);
    }
    expect(describeWeights('w', report)).toMatch(
      /^Weights from w: \d+ parameters loaded, 7 resized \(.*16×16 to 32×32.*…\), 1 newly initialised \(head.*\), 1 tensors of the file unused/,
    );
  } finally {
    await file.close();
  }
});

test('a missing backbone, or one of another shape, is refused with the name of its first parameter', async () => {
  const file = await weightsOf(config);
  const other = parameterTable({ ...config, stem: 8 });
  try {
    await expect(takeWeights(file, other, { fresh, required, sameSlices: true })).rejects.toThrow(
      /"student\.backbone\.transformer\.patch_embed2D0\.conv\.weight" is F32 \[4, 3, 7, 7\], not F32 \[8, 3, 7, 7\]/,
    );
  } finally {
    await file.close();
  }
});

test('positions of volumes with another number of slices are left fresh: their grid does not follow from their number', async () => {
  const file = await weightsOf(config);
  const specs = parameterTable({ ...config, size3D: [48, 64, 64] });
  try {
    const { report } = await takeWeights(file, specs, { fresh, required, sameSlices: true });
    expect(report.fresh).toContain('backbone.transformer.pos_embed3D1');
  } finally {
    await file.close();
  }
});

/** A downstream network on the smallest backbone. */
const downstream = (task: DownstreamConfig['task'], more: Partial<DownstreamConfig> = {}): DownstreamConfig => ({
  task,
  modality: '3D',
  backbone: config,
  channels: 1,
  outputs: 3,
  ...more,
});

describe('downstream networks', () => {
  test.each(['classification', 'segmentation'] as const)(
    '%s takes all of its backbone from a pre-training checkpoint, positions resized per axis',
    async (task) => {
      const file = await weightsOf(config);
      const specs = downstreamTable(downstream(task, { backbone: { ...config, size3D: [32, 64, 128] } }));
      try {
        const { first, report } = await takeWeights(file, specs, { fresh, minimumShare: 0.99 });
        expect(report).toMatchObject({ prefix: 'student.', encoderShare: 1 });
        expect(report.fresh).toEqual(specs.flatMap(({ name, pretrained }) => (pretrained === null ? [name] : [])));
        expect(report.resized.map(({ from, to }) => [from.join(), to.join()])).toContainEqual(['1,2,2', '2,2,4']);
        for (const spec of specs) {
          const expected = spec.pretrained === null ? -1 : 2;
          expect(first(spec).length, spec.name).toBe(size(spec.shape));
          expect(
            first(spec).every((value) => Math.abs(value - expected) < 1e-5),
            spec.name,
          ).toBe(true);
        }
      } finally {
        await file.close();
      }
    },
  );

  test('segmentation of the same size drops the class token of positions and resizes nothing', async () => {
    const file = await weightsOf(config);
    try {
      const { report } = planWeights(file, downstreamTable(downstream('segmentation')), {});
      expect(report.resized).toEqual([]);
      expect(report.unused).toContain('student.backbone.transformer.cls_tokens1');
    } finally {
      await file.close();
    }
  });

  test('prefixes: module.backbone., backbone., none; the teacher if it is asked for', async () => {
    const specs = downstreamTable(downstream('classification'));
    const path = join(folder, 'named.safetensors');
    const own = parameterTable(config).filter(({ group }) => group === 'backbone');
    const write = (rename: (name: string) => string, value: number) =>
      own.map(({ name, shape }) => ({
        name: rename(name),
        shape: [...shape],
        dtype: 'F32' as const,
        read: () => new Float32Array(size(shape)).fill(value),
      }));
    for (const [prefix, cut] of [
      ['module.', false],
      ['', false],
      ['', true],
      ['state_dict.module.', true],
    ] as const) {
      await writeSafetensors(
        path,
        write((name) => prefix + (cut ? name.replace('backbone.', '') : name), 1),
        {},
      );
      const file = await SafetensorsFile.open(path);
      expect(planWeights(file, specs, {}).report, prefix).toMatchObject({ prefix, encoderShare: 1 });
      await file.close();
    }
    const both = [...write((name) => `student.${name}`, 1), ...write((name) => `teacher.module.${name}`, 2)];
    await writeSafetensors(path, both, {});
    const file = await SafetensorsFile.open(path);
    const { first } = await takeWeights(file, specs, { fresh, network: 'teacher' });
    const cls = specs.find(({ name }) => name === 'cls_tokens1');
    expect(cls && first(cls)[0]).toBe(2);
    await file.close();
  });

  test('a stem for several channels; a stem of three channels for one', async () => {
    const file = await weightsOf(config);
    try {
      for (const [modality, channels, divided, repeated] of [
        ['3D', 4, 0.5, 2],
        ['2D', 1, 6, 6],
      ] as const) {
        const specs = downstreamTable(downstream('segmentation', { modality, channels }));
        const stem = specs.find(({ name }) => name.endsWith('patch_embed0.conv.weight'));
        for (const way of ['divided', 'repeated'] as const) {
          const { first, report } = await takeWeights(file, specs, { fresh, stem: way });
          expect(report.resized.map(({ name }) => name)).toEqual([stem?.name]);
          expect(stem && new Set(first(stem))).toEqual(new Set([way === 'divided' ? divided : repeated]));
        }
      }
    } finally {
      await file.close();
    }
  });

  test('weights of another preset provide too little of the encoder', async () => {
    const file = await weightsOf({ ...config, encoder: { ...config.encoder, dims: [8, 16, 16, 32] } });
    try {
      const specs = downstreamTable(downstream('classification'));
      expect(() => planWeights(file, specs, { minimumShare: 0.5 })).toThrow(
        /provides \d+ % of the encoder's parameters, but 50 % are required \(missing: /,
      );
      expect(() => planWeights(file, specs, { minimumShare: 0.01 })).not.toThrow();
    } finally {
      await file.close();
    }
  });

  test('positions of pictures are not those of volumes, even where their number is', async () => {
    const path = join(folder, 'pictures.safetensors');
    const pictures = downstreamTable(downstream('segmentation', { modality: '2D', channels: 3 }));
    await writeSafetensors(
      path,
      pictures.map(({ name, shape }) => ({
        name: `network.${name}`,
        shape: [...shape],
        dtype: 'F32' as const,
        read: () => new Float32Array(size(shape)),
      })),
      {},
    );
    const file = await SafetensorsFile.open(path);
    const volumes = downstreamTable(downstream('segmentation', { backbone: { ...config, size3D: [32, 64, 64] } }));
    expect(planWeights(file, volumes, {}).report.resized).toEqual([]);
    await file.close();
  });
});

describe('positions', () => {
  const found = (rows: number, grid: number[], name = 'p') => ({
    rows,
    spec: {
      name,
      kind: 'token',
      shape: [1, rows, 1],
      group: 'backbone',
      modality: '3D',
      decays: true,
      learns: true,
      grid,
    } as const,
  });

  test('their grid: of the size that is known, ours, or with few slices; class tokens follow from the stages', () => {
    const stages = [found(1 + 8 * 16, [4, 4, 8], 'fine'), found(1 + 16, [2, 2, 4], 'coarse')];
    expect(positionGrids(stages, {}).get('coarse')).toEqual({ grid: [2, 2, 4], classTokens: 1 });
    const other = [found(8 * 16, [8, 8, 8], 'fine'), found(16, [4, 4, 4], 'coarse')];
    expect(positionGrids(other, {}).get('coarse')).toEqual({ grid: [1, 4, 4], classTokens: 0 });
    expect(positionGrids(other, {}).get('fine')).toEqual({ grid: [2, 8, 8], classTokens: 0 });
    expect(positionGrids(other, { sameSlices: true }).get('coarse')?.grid).toEqual([4, 2, 2]);
    expect(positionGrids(other, { size3D: [32, 64, 128] }).get('coarse')?.grid).toEqual([2, 2, 4]);
    expect(positionGrids(other, { size3D: [16, 64, 64] }).size).toBe(0);
  });

  test('per axis: a linear ramp stays one; the class token of the network comes from the file, or from its first values', () => {
    const ramp = Float32Array.of(9, 0, 0, 1, 1, 2, 2, 3, 3); // class token, grid [4, 1, 2]
    const to = { grid: [2, 1, 2], modality: '3D', channels: 1, fresh: () => new Float32Array(5).fill(7) } as const;
    const resized = resizePerAxis(ramp, { grid: [4, 1, 2], classTokens: 1 }, to);
    // (i + ½) · 4 / 2.1 − ½: 0.452 and 2.357.
    expect(Array.from(resized, (value) => Math.round(1000 * value) / 1000)).toEqual([9, 0.452, 0.452, 2.357, 2.357]);
    expect(resizePerAxis(ramp.subarray(1), { grid: [4, 1, 2], classTokens: 0 }, to)[0]).toBe(7);
  });

  test("the reference's way: SciPy's linear zoom of the rows, end to end", () => {
    // scipy.ndimage.zoom([0, 1, 4, 9], 7 / 4, order=1)
    expect([...zoomRows(Float32Array.of(0, 1, 4, 9), 7, 1)]).toEqual([0, 0.5, 1, 2.5, 4, 6.5, 9]);
    expect([...zoomRows(Float32Array.of(0, 10, 2, 20), 1, 2)]).toEqual([0, 10]);
  });

  test('a stem: the sum over channels, for each of the new ones', () => {
    const stem = Float32Array.of(1, 2, 3, 4, 5, 6); // [1, 3, 2]
    expect([...stemFor(stem, { out: 1, from: 3, to: 2, way: 'divided' })]).toEqual([4.5, 6, 4.5, 6]);
    expect([...stemFor(stem, { out: 1, from: 3, to: 1, way: 'repeated' })]).toEqual([9, 12]);
  });
});
