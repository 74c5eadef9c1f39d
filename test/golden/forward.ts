import type { Tensor } from '@tensorflow/tfjs-core';
import { concat, reshape } from '@tensorflow/tfjs-core';
import { expect } from 'vitest';
import type { Engine, Executor } from '../../daemon/engine/index.ts';
import { decode, encode } from '../../daemon/model/backbone.ts';
import { presets } from '../../daemon/model/config.ts';
import { bottleneck, project } from '../../daemon/model/head.ts';
import { fromReference, ourShape } from '../../daemon/model/layout.ts';
import { parameterTable } from '../../daemon/model/parameters.ts';
import type { Modality } from '../../protocol/modality.ts';
import { channelsFirst, deviation, goldenImages, goldenWeights, readGolden, type Summary } from './values.ts';

interface ForwardFile {
  arch: 'tiny' | 'small';
  outDim: number;
  cases: { input: string; shape: number[]; encoder: Summary[]; feature: number[][]; head: Summary }[];
}

/** How far values may be off, in units of their RMS, and norms, relative. */
export interface ForwardTolerances {
  readonly values: number;
  readonly norms: number;
}

/** Those of test/golden/data/README.md. */
const exactly: ForwardTolerances = { values: 1e-4, norms: 1e-5 };

/** Forward outputs of a golden file in one executor, each case against the file's tolerances. */
export async function checkForward(
  engine: Engine,
  file: string,
  executor: Executor,
  tolerances: ForwardTolerances = exactly,
): Promise<void> {
  const golden = readGolden<ForwardFile>(file);
  const preset = presets[golden.arch];
  const config = { ...preset, head: { ...preset.head, out: golden.outDim } };
  const variables = new Map(
    parameterTable(config).map((spec) => {
      const values = fromReference(spec, goldenWeights(spec));
      return [spec.name, engine.variable(spec.name, ourShape(spec), values)];
    }),
  );
  for (const { input, shape, ...expected } of golden.cases) {
    const modality: Modality = shape.length === 4 ? '2D' : '3D';
    const imageShape = [shape[0]!, ...shape.slice(2), shape[1]!];
    const mapShapes: number[][] = [];
    const step = engine.compile({
      name: `forward ${input}`,
      executor,
      inputs: { images: { shape: imageShape } },
      body: ({ images }) => {
        const pass = { config, modality, weights: (name: string) => variables.get(name)!.read() };
        const encoded = encode(pass, images!);
        const feature = decode(pass, encoded);
        const maps = [encoded.stem, ...encoded.maps];
        mapShapes.push(...maps.map((map) => map.shape));
        const outputs: Record<string, Tensor> = {
          feature,
          head: project(pass.weights, bottleneck(pass.weights, feature)),
          tokens: imagesFirst(encoded.classTokens, encoded.patches),
        };
        maps.forEach((map, i) => {
          outputs[`map${i}`] = map;
        });
        return outputs;
      },
    });
    const outputs = await step.run({ images: goldenImages(input, shape) });
    step.dispose();
    const encoder = mapShapes.slice(0, 4).map((s, i) => channelsFirst(outputs[`map${i}`]!, s));
    [...encoder, outputs.tokens!].forEach((values, i) => {
      const off = deviation(values, expected.encoder[i]!);
      expect(off.values, `${input}: encoder output ${i}`).toBeLessThan(tolerances.values);
      expect(off.norm, `${input}: norm of encoder output ${i}`).toBeLessThan(tolerances.norms);
    });
    const feature = expected.feature.flat();
    const rms = Math.hypot(...feature) / Math.sqrt(feature.length);
    feature.forEach((value, i) => {
      expect(Math.abs(outputs.feature![i]! - value) / rms, `${input}: feature ${i}`).toBeLessThan(tolerances.values);
    });
    const head = deviation(outputs.head!, expected.head);
    expect(head.values, `${input}: head`).toBeLessThan(tolerances.values);
    expect(head.norm, `${input}: norm of the head's output`).toBeLessThan(tolerances.norms);
  }
  for (const variable of variables.values()) variable.dispose();
}

/** Class token and patches image by image, [B, 1 + N, C], as the reference has them. */
function imagesFirst(classTokens: Tensor, patches: Tensor): Tensor {
  const [batch, channels] = classTokens.shape as [number, number];
  return concat([reshape(classTokens, [batch, 1, channels]), reshape(patches, [batch, -1, channels])], 1);
}
