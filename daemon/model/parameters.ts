import type { Modality } from '../../protocol/modality.ts';
import type { MitConfig, StagesConfig } from './config.ts';
import { cells, stageGrids } from './geometry.ts';

/**
 * What a parameter is; decides its layout (layout.ts), its initialisation (initialize.ts) and whether it decays.
 * `gain` and `shift` belong to norms, `token` is a class token or position embedding, `direction` and `magnitude`
 * are the two parts of the weight-normalised last layer (`weight_v`, `weight_g`).
 */
export type ParameterKind =
  | 'linear'
  | 'conv'
  | 'transposedConv'
  | 'bias'
  | 'convBias'
  | 'gain'
  | 'shift'
  | 'token'
  | 'direction'
  | 'magnitude';

/** A parameter under the reference's name and in its layout (channels first). */
export interface ParameterSpec {
  readonly name: string;
  readonly kind: ParameterKind;
  readonly shape: readonly number[];
  /** Inputs that one output sums over; given for `convBias`, whose range it decides. */
  readonly fanIn?: number;
}

export const lastLayerDirection = 'head.last_layer.weight_v';
export const lastLayerMagnitude = 'head.last_layer.weight_g';

const modalities: readonly Modality[] = ['2D', '3D'];
const axes: Readonly<Record<Modality, number>> = { '2D': 2, '3D': 3 };
const channels: Readonly<Record<Modality, number>> = { '2D': 3, '3D': 1 };

function linear(name: string, out: number, inputs: number, bias = true): ParameterSpec[] {
  const weight: ParameterSpec = { name: `${name}.weight`, kind: 'linear', shape: [out, inputs] };
  return bias ? [weight, { name: `${name}.bias`, kind: 'bias', shape: [out] }] : [weight];
}

function norm(name: string, dim: number): ParameterSpec[] {
  return [
    { name: `${name}.weight`, kind: 'gain', shape: [dim] },
    { name: `${name}.bias`, kind: 'shift', shape: [dim] },
  ];
}

function cube(length: number, modality: Modality): number[] {
  return new Array<number>(axes[modality]).fill(length);
}

function convBlock(name: string, modality: Modality, inputs: number, out: number, kernel: number): ParameterSpec[] {
  return [
    { name: `${name}.conv.weight`, kind: 'conv', shape: [out, inputs, ...cube(kernel, modality)] },
    ...norm(`${name}.norm`, out),
  ];
}

function spatialReduction(name: string, dim: number, reduction: number): ParameterSpec[] {
  return modalities.flatMap((modality): ParameterSpec[] => {
    const kernel = cube(reduction, modality);
    return [
      { name: `${name}.sr${modality}.weight`, kind: 'conv', shape: [dim, dim, ...kernel] },
      { name: `${name}.sr${modality}.bias`, kind: 'convBias', shape: [dim], fanIn: dim * cells(kernel) },
    ];
  });
}

function block(name: string, stages: StagesConfig, stage: number, qkvBias: boolean): ParameterSpec[] {
  const dim = stages.dims[stage]!;
  const reduction = stages.reductions[stage]!;
  return [
    ...norm(`${name}.norm1`, dim),
    ...linear(`${name}.attn.q`, dim, dim, qkvBias),
    ...linear(`${name}.attn.kv`, 2 * dim, dim, qkvBias),
    ...linear(`${name}.attn.proj`, dim, dim),
    ...(reduction > 1 ? [...spatialReduction(`${name}.attn`, dim, reduction), ...norm(`${name}.attn.norm`, dim)] : []),
    ...norm(`${name}.norm2`, dim),
    ...linear(`${name}.mlp.fc1`, 4 * dim, dim),
    ...linear(`${name}.mlp.fc2`, dim, 4 * dim),
  ];
}

function blocks(name: string, stages: StagesConfig, stage: number, qkvBias: boolean): ParameterSpec[] {
  return Array.from({ length: stages.depths[stage]! }, (_, i) => block(`${name}.${i}`, stages, stage, qkvBias)).flat();
}

function position(name: string, grid: readonly number[], dim: number): ParameterSpec {
  return { name, kind: 'token', shape: [1, 1 + cells(grid), dim] };
}

function encoder(config: MitConfig, grids: Record<Modality, number[][]>): ParameterSpec[] {
  const { dims } = config.encoder;
  const at = (name: string) => `backbone.transformer.${name}`;
  return [
    ...modalities.flatMap((m) => dims.map((dim, i) => position(at(`pos_embed${m}${i + 1}`), grids[m][i]!, dim))),
    { name: at('cls_tokens1'), kind: 'token', shape: [1, 1, dims[0]!] },
    ...dims.slice(1).flatMap((dim, i) => linear(at(`cls_tokens${i + 2}`), dim, dims[i]!)),
    ...modalities.flatMap((m) => [
      ...convBlock(at(`patch_embed${m}0`), m, channels[m], config.stem, 7),
      ...dims.flatMap((dim, i) =>
        convBlock(at(`patch_embed${m}${i + 1}.proj`), m, i === 0 ? config.stem : dims[i - 1]!, dim, 3),
      ),
    ]),
    ...dims.flatMap((_, i) => blocks(at(`block${i + 1}`), config.encoder, i, true)),
  ];
}

function decoder(config: MitConfig, grids: Record<Modality, number[][]>): ParameterSpec[] {
  const { dims } = config.decoder;
  const inputs = [config.encoder.dims[dims.length]!, ...dims];
  const at = (name: string) => `backbone.${name}`;
  return [
    ...modalities.flatMap((m) =>
      dims.flatMap((dim, i): ParameterSpec[] => [
        position(at(`DecPosEmbed${m}${i}`), grids[m][dims.length - 1 - i]!, dim),
        { name: at(`DecEmbed${m}${i}.proj.weight`), kind: 'transposedConv', shape: [inputs[i]!, dim, ...cube(2, m)] },
        // PyTorch takes the second size of the weight as a layer's inputs, also where the convolution is transposed.
        { name: at(`DecEmbed${m}${i}.proj.bias`), kind: 'convBias', shape: [dim], fanIn: dim * 2 ** axes[m] },
      ]),
    ),
    ...dims.flatMap((dim, i) => linear(at(`cls_tokens${i}`), dim, inputs[i]!)),
    ...dims.flatMap((_, i) => blocks(at(`Decblock${i}`), config.decoder, i, false)),
    ...norm(at('norm'), dims[dims.length - 1]!),
  ];
}

function head(config: MitConfig): ParameterSpec[] {
  const { hidden, bottleneck, out } = config.head;
  const feature = config.decoder.dims[config.decoder.dims.length - 1]!;
  return [
    ...linear('head.mlp.0', hidden, feature),
    ...linear('head.mlp.2', hidden, hidden),
    ...linear('head.mlp.4', bottleneck, hidden),
    { name: lastLayerMagnitude, kind: 'magnitude', shape: [out, 1] },
    { name: lastLayerDirection, kind: 'direction', shape: [out, bottleneck] },
  ];
}

/** All parameters of the network, by the reference's names and in its layouts; their order is ours. */
export function parameterTable(config: MitConfig): ParameterSpec[] {
  const stages = config.encoder.dims.length;
  const grids = { '2D': stageGrids('2D', config.size2D, stages), '3D': stageGrids('3D', config.size3D, stages) };
  return [...encoder(config, grids), ...decoder(config, grids), ...head(config)];
}

/** Is it only used by volumes, and so frozen while the network sees pictures? The reference goes by the name, and so do we. */
export function belongsToVolumes(name: string): boolean {
  return name.includes('3D');
}

/** The magnitude of the last layer stays 1; everything else learns. */
export function learns(spec: ParameterSpec): boolean {
  return spec.kind !== 'magnitude';
}

/** Biases and other vectors are spared weight decay. */
export function decays(spec: ParameterSpec): boolean {
  return spec.shape.length > 1 && !spec.name.endsWith('.bias');
}
