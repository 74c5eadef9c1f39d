import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { testEngine } from '../../../test/engine.ts';
import { smallestModel as config } from '../../../test/smallestModel.ts';
import { SafetensorsFile } from '../../checkpoint/safetensorsReader.ts';
import { writeSafetensors } from '../../checkpoint/safetensorsWriter.ts';
import type { Engine } from '../../engine/index.ts';
import type { MitConfig } from '../../model/config.ts';
import { type ParameterSpec, parameterTable } from '../../model/parameters.ts';
import { describeWeights, takeWeights } from './takeWeights.ts';

const folder = mkdtempSync(join(tmpdir(), 'unimiss-weights-'));
afterAll(() => rmSync(folder, { recursive: true }));
let engine: Engine;
beforeAll(async () => {
  engine = await testEngine();
});

const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
const required = ({ group, grid }: ParameterSpec) => group === 'backbone' && grid === undefined;
const fresh = (spec: ParameterSpec) => new Float32Array(size(spec.shape)).fill(-1);

/** Opens a file with the parameters of a network, all 2, and other given tensors. */
async function weightsOf(of: MitConfig, more: readonly string[] = []): Promise<SafetensorsFile> {
  const path = join(folder, 'weights.safetensors');
  const tensor = (name: string, shape: readonly number[]) => ({
    name,
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
    const { first, report } = await takeWeights(file, specs, { engine, fresh, required });
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

test('a backbone that is missing or of another shape is refused by the name of its first parameter', async () => {
  const file = await weightsOf(config);
  const other = parameterTable({ ...config, stem: 8 });
  try {
    await expect(takeWeights(file, other, { engine, fresh, required })).rejects.toThrow(
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
    const { report } = await takeWeights(file, specs, { engine, fresh, required });
    expect(report.fresh).toContain('backbone.transformer.pos_embed3D1');
  } finally {
    await file.close();
  }
});
