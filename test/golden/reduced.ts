import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Tensor } from '@tensorflow/tfjs-core';
import { expect } from 'vitest';
import { SafetensorsFile } from '../../daemon/checkpoint/safetensorsReader.ts';
import type { Engine, Executor } from '../../daemon/engine/index.ts';
import { backbone } from '../../daemon/model/backbone.ts';
import type { MitConfig } from '../../daemon/model/config.ts';
import { bottleneck, project } from '../../daemon/model/head.ts';
import { fromReference, ourShape } from '../../daemon/model/layout.ts';
import { parameterTable } from '../../daemon/model/parameters.ts';
import { type Modality, modalities } from '../../protocol/modality.ts';
import { channelsFirst, goldenFolder, goldenImages, goldenWeights, norm, size } from './values.ts';

/** The reduced model of test/golden/data/README.md. */
export const reduced: MitConfig = {
  stem: 32,
  encoder: { depths: [1, 1, 1, 1], dims: [12, 32, 64, 128], heads: [1, 2, 4, 8], reductions: [6, 4, 2, 1] },
  decoder: { depths: [1, 1, 1], dims: [64, 32, 12], heads: [8, 4, 2], reductions: [2, 4, 6] },
  head: { hidden: 128, bottleneck: 32, out: 64 },
  size2D: [64, 64],
  size3D: [16, 64, 64],
};

const imageShapes: Record<Modality, number[]> = { '2D': [1, 3, 64, 64], '3D': [1, 1, 16, 64, 64] };

export const has = (file: string) => existsSync(join(goldenFolder, file));
export const reducedFiles = modalities.filter((modality) => has(`reduced-activations-${modality}.safetensors`));

/**
 * An InstanceNorm over the 2×2 positions of the last stage divides by standard deviations of four values, some of them near 0.
 * That multiplies the rounding of its input: the largest of its errors was 1.1e-4 · RMS on an AMD EPYC, where its mean error is
 * like that of the others. All other modules stay below 1e-4.
 */
const normOfFour = 'backbone.transformer.patch_embed2D4.proj.norm';

export function expectClose(actual: Float32Array, expected: Float32Array, name: string): void {
  expect(actual.length, name).toBe(expected.length);
  const rms = norm(expected) / Math.sqrt(expected.length);
  const off = actual.reduce((max, value, i) => Math.max(max, Math.abs(value - expected[i]!)), 0);
  const squares = actual.reduce((sum, value, i) => sum + (value - expected[i]!) ** 2, 0);
  expect(Math.sqrt(squares / expected.length) / rms, `${name}, on average`).toBeLessThan(3e-5);
  expect(off / rms, name).toBeLessThan(name === normOfFour ? 2e-4 : 1e-4);
}

/** The reference's values in the form in which ours come. */
function comparable(name: string, data: Float32Array): Float32Array {
  if (name === 'head.mlp') return data.map((value) => value / norm(data)); // ours are normalised
  if (name === 'backbone.Decblock2.0') return data.subarray(0, 12); // our last block gives the class token alone
  return data;
}

/** The input of the LeakyReLU that gave `y`: the reference shows what its norms give. */
function beforeLeakyRelu(y: Float32Array): Float32Array {
  return y.map((value) => (value > 0 ? value : value / 0.01));
}

/** The reduced model's activations in one executor, module by module. */
export async function checkReduced(engine: Engine, executor: Executor, modality: Modality): Promise<void> {
  const file = await SafetensorsFile.open(join(goldenFolder, `reduced-activations-${modality}.safetensors`));
  const weights = new Map(
    parameterTable(reduced).map((spec) => {
      const values = fromReference(spec, goldenWeights(spec));
      return [spec.name, engine.variable(spec.name, ourShape(spec), values)];
    }),
  );
  const weightsOf = (name: string) => weights.get(name)!.read();
  const imageShape = imageShapes[modality];
  const shapes: Record<string, readonly number[]> = {};
  const step = engine.compile({
    name: 'reduced',
    executor,
    inputs: { images: { shape: [1, ...imageShape.slice(2), imageShape[1]!] } },
    body: ({ images }) => {
      const seen: Record<string, Tensor> = {};
      const observe = (module: string, value: () => Tensor) => {
        seen[module] = value();
      };
      seen.feature = backbone({ config: reduced, weights: weightsOf, modality, observe }, images!);
      seen['head.mlp'] = bottleneck(weightsOf, seen.feature);
      seen.head = project(weightsOf, seen['head.mlp']);
      for (const [name, tensor] of Object.entries(seen)) shapes[name] = tensor.shape;
      return seen;
    },
  });
  const outputs = await step.run({ images: goldenImages(`p.reduced.${modality}`, imageShape) });
  const names = [...file.tensors.keys()];
  expect(names.length).toBeGreaterThan(20);
  for (const name of names) {
    const ours = name.replace(/\.norm$/, '');
    expect(outputs[ours], name).toBeDefined();
    const values = ours === name ? outputs[ours]! : beforeLeakyRelu(outputs[ours]!);
    const expected = comparable(name, await file.readFloat32(name));
    const shape = shapes[ours]!;
    // Maps come channels last; rows [N, C] of spatial reductions stand for maps, too.
    const map = shape.length > 2 || /attn\.sr[23]D$/.test(name);
    expectClose(map ? channelsFirst(values, [1, size(shape.slice(0, -1)), shape.at(-1)!]) : values, expected, name);
  }
  await file.close();
  step.dispose();
  for (const variable of weights.values()) variable.dispose();
}
