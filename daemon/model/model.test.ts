import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../data/random.ts';
import { featureLength, type MitConfig, presets } from './config.ts';
import { stageGrids } from './geometry.ts';
import { initialValues } from './initialize.ts';
import { fromReference, ourShape, toReference } from './layout.ts';
import { type ParameterForm, parameterTable } from './parameters.ts';
import { resizeMatrix } from './positions.ts';

const product = (shape: readonly number[]) => shape.reduce((all, n) => all * n, 1);

function sizeOf(config: MitConfig, part: 'backbone' | 'head'): number {
  const table = parameterTable(config).filter(({ name }) => name.startsWith(part));
  return table.reduce((sum, { shape }) => sum + product(shape), 0);
}

describe('parameters', () => {
  test('are as many as in the paper, and few in nano', () => {
    expect(sizeOf(presets.tiny, 'backbone') / 1e6).toBeCloseTo(20.38, 2);
    expect(sizeOf(presets.small, 'backbone') / 1e6).toBeCloseTo(43.94, 2);
    expect(sizeOf(presets.nano, 'backbone')).toBeLessThan(2e6);
    expect(featureLength(presets.small)).toBe(48);
  });

  test('have names of their own', () => {
    const names = parameterTable(presets.small).map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  test('in every block, heads divide channels; the decoder mirrors the encoder', () => {
    for (const { encoder, decoder } of Object.values(presets)) {
      for (const { dims, heads } of [encoder, decoder])
        dims.forEach((dim, i) => {
          expect(dim % heads[i]!).toBe(0);
        });
      expect(decoder.dims).toEqual(encoder.dims.slice(0, -1).reverse());
    }
  });

  test('biases, norms and nothing else are spared decay', () => {
    const spared = parameterTable(presets.tiny).filter((spec) => !spec.decays);
    expect(new Set(spared.map(({ kind }) => kind))).toEqual(new Set(['bias', 'convBias', 'gain', 'shift']));
  });

  test('those of volumes are convolutions and positions', () => {
    const volumes = parameterTable(presets.tiny).filter(({ modality }) => modality === '3D');
    for (const { name } of volumes) expect(name).toMatch(/patch_embed3D|pos_embed3D|sr3D|DecEmbed3D|DecPosEmbed3D/);
    expect(volumes.length).toBeGreaterThan(30);
  });
});

describe('layouts', () => {
  const kinds = fc.constantFrom<ParameterForm['kind']>('conv', 'transposedConv', 'linear', 'token');
  const shapes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 4, maxLength: 5 });

  test('there and back is the same', () => {
    fc.assert(
      fc.property(kinds, shapes, (kind, shape) => {
        const spec: ParameterForm = { kind, shape };
        const data = Float32Array.from({ length: product(shape) }, (_, i) => i);
        expect(product(ourShape(spec))).toBe(data.length);
        expect(toReference(spec, fromReference(spec, data))).toEqual(data);
      }),
    );
  });

  test('convolutions: [out, in, y, x] → [y, x, in, out]', () => {
    const spec: ParameterForm = { kind: 'conv', shape: [2, 3, 1, 2] };
    expect(ourShape(spec)).toEqual([1, 2, 3, 2]);
    const data = Float32Array.from({ length: 12 }, (_, i) => i);
    expect(Array.from(fromReference(spec, data))).toEqual([0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11]);
  });

  test('transposed convolutions: [in, out, y, x] → [in, y, x, out]', () => {
    const spec: ParameterForm = { kind: 'transposedConv', shape: [1, 3, 1, 2] };
    expect(ourShape(spec)).toEqual([1, 1, 2, 3]);
    expect(Array.from(fromReference(spec, Float32Array.of(0, 1, 2, 3, 4, 5)))).toEqual([0, 2, 4, 1, 3, 5]);
  });
});

describe('initialisation', () => {
  const specs: Record<string, ParameterForm> = {
    linear: { kind: 'linear', shape: [100, 200] },
    conv: { kind: 'conv', shape: [50, 8, 7, 7] },
    transposedConv: { kind: 'transposedConv', shape: [200, 25, 2, 2] },
    convBias: { kind: 'convBias', shape: [20000], fanIn: 16 },
    direction: { kind: 'direction', shape: [100, 256] },
  };
  const valuesOf = (spec: ParameterForm) => {
    const random = new Random('initialisation', spec.kind);
    return initialValues(spec, () => random.uniform());
  };
  const deviation = (values: Float32Array) => Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / values.length);
  const largest = (values: Float32Array) => values.reduce((max, x) => Math.max(max, Math.abs(x)), 0);

  test.each([
    ['linear', 0.02],
    ['conv', Math.sqrt(2 / (50 * 49))],
  ])('%s: normal with deviation %s', (kind, expected) => {
    const values = valuesOf(specs[kind]!);
    expect(deviation(values) / expected).toBeCloseTo(1, 1);
    expect(largest(values)).toBeGreaterThan(3 * expected);
  });

  test.each([
    ['transposedConv', 1 / Math.sqrt(25 * 4)],
    ['convBias', 1 / 4],
    ['direction', 1 / 16],
  ])('%s: uniform in ± %s', (kind, bound) => {
    const values = valuesOf(specs[kind]!);
    expect(largest(values)).toBeLessThanOrEqual(bound);
    expect(deviation(values) / (bound / Math.sqrt(3))).toBeCloseTo(1, 1);
  });

  test('biases 0, gains 1', () => {
    expect(valuesOf({ kind: 'bias', shape: [2] })).toEqual(Float32Array.of(0, 0));
    expect(valuesOf({ kind: 'gain', shape: [2] })).toEqual(Float32Array.of(1, 1));
  });
});

describe('grids', () => {
  test('of the paper', () => {
    expect(stageGrids('2D', [224, 224], 4)).toEqual([
      [56, 56],
      [28, 28],
      [14, 14],
      [7, 7],
    ]);
    expect(stageGrids('3D', [16, 96, 96], 4)).toEqual([
      [8, 24, 24],
      [4, 12, 12],
      [2, 6, 6],
      [1, 3, 3],
    ]);
  });

  test('sizes that the strides do not divide are refused with the multiples to take', () => {
    expect(() => stageGrids('3D', [20, 96, 96], 4)).toThrow(/20×96×96.*16×32×32/s);
  });
});

test('each row of a resizing matrix sums to 1', () => {
  const lengths = fc.integer({ min: 1, max: 30 });
  fc.assert(
    fc.property(fc.constantFrom('2D' as const, '3D' as const), lengths, lengths, (modality, source, target) => {
      const matrix = resizeMatrix(modality, source, target);
      for (let row = 0; row < target; row++) {
        const sum = matrix.subarray(row * source, (row + 1) * source).reduce((a, b) => a + b, 0);
        expect(sum).toBeCloseTo(1, 5);
      }
    }),
  );
});
