import { type Modality, modalities } from '../../protocol/modality.ts';
import type { MitConfig, StagesConfig } from './config.ts';
import { cells, stageGrids } from './geometry.ts';

/**
 * What a parameter is: decides its layout (layout.ts), its initialisation (initialize.ts) and whether it decays.
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

/** The part of the network that a parameter belongs to. `lastLayer` is the head's, which may train and rest on its own. */
export type ParameterGroup = 'backbone' | 'head' | 'lastLayer';

/** A parameter under the reference's name and in its layout (channels first). */
export interface ParameterSpec {
  readonly name: string;
  readonly kind: ParameterKind;
  readonly shape: readonly number[];
  readonly group: ParameterGroup;
  /** The modality whose images alone use it (2D: pictures, and the slices of volumes); null where both do. */
  readonly modality: Modality | null;
  /** Whether weight decay applies: biases and the vectors of norms are spared. */
  readonly decays: boolean;
  /** Whether training moves it. The magnitude of the last layer stays 1. */
  readonly learns: boolean;
  /** Inputs that one output sums over; given for `convBias`, whose range it decides. */
  readonly fanIn?: number;
  /** Cells along each axis, [y, x] or [z, y, x]; given for position embeddings, of which the first row is the class token's. */
  readonly grid?: readonly number[];
}

/** What layout and initialisation depend on. */
export type ParameterForm = Pick<ParameterSpec, 'kind' | 'shape' | 'fanIn'>;

export const lastLayerDirection = 'head.last_layer.weight_v';
export const lastLayerMagnitude = 'head.last_layer.weight_g';

const axes: Readonly<Record<Modality, number>> = { '2D': 2, '3D': 3 };
const channels: Readonly<Record<Modality, number>> = { '2D': 3, '3D': 1 };

/** A parameter as its layer declares it; `parameterTable` adds the group. */
type Declared = Omit<ParameterSpec, 'group'>;

const withoutDecay: ReadonlySet<ParameterKind> = new Set(['bias', 'convBias', 'gain', 'shift']);

function declare(
  name: string,
  kind: ParameterKind,
  shape: readonly number[],
  { modality = null, ...more }: { modality?: Modality | null } & Pick<ParameterSpec, 'fanIn' | 'grid'> = {},
): Declared {
  const traits = { modality, decays: !withoutDecay.has(kind), learns: kind !== 'magnitude' };
  return { name, kind, shape, ...traits, ...more };
}

function linear(name: string, out: number, inputs: number, bias = true): Declared[] {
  const weight = declare(`${name}.weight`, 'linear', [out, inputs]);
  return bias ? [weight, declare(`${name}.bias`, 'bias', [out])] : [weight];
}

function norm(name: string, dim: number, modality: Modality | null = null): Declared[] {
  return [
    declare(`${name}.weight`, 'gain', [dim], { modality }),
    declare(`${name}.bias`, 'shift', [dim], { modality }),
  ];
}

function cube(length: number, modality: Modality): number[] {
  return new Array<number>(axes[modality]).fill(length);
}

function convBlock(name: string, modality: Modality, inputs: number, out: number, kernel: number): Declared[] {
  return [
    declare(`${name}.conv.weight`, 'conv', [out, inputs, ...cube(kernel, modality)], { modality }),
    ...norm(`${name}.norm`, out, modality),
  ];
}

function spatialReduction(name: string, dim: number, reduction: number): Declared[] {
  return modalities.flatMap((modality) => {
    const kernel = cube(reduction, modality);
    return [
      declare(`${name}.sr${modality}.weight`, 'conv', [dim, dim, ...kernel], { modality }),
      declare(`${name}.sr${modality}.bias`, 'convBias', [dim], { modality, fanIn: dim * cells(kernel) }),
    ];
  });
}

function block(name: string, stages: StagesConfig, stage: number, qkvBias: boolean): Declared[] {
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

function blocks(name: string, stages: StagesConfig, stage: number, qkvBias: boolean): Declared[] {
  return Array.from({ length: stages.depths[stage]! }, (_, i) => block(`${name}.${i}`, stages, stage, qkvBias)).flat();
}

function position(name: string, modality: Modality, grid: readonly number[], dim: number): Declared {
  return declare(name, 'token', [1, 1 + cells(grid), dim], { modality, grid });
}

function encoder(config: MitConfig, grids: Record<Modality, number[][]>): Declared[] {
  const { dims } = config.encoder;
  const at = (name: string) => `backbone.transformer.${name}`;
  return [
    ...modalities.flatMap((m) => dims.map((dim, i) => position(at(`pos_embed${m}${i + 1}`), m, grids[m][i]!, dim))),
    declare(at('cls_tokens1'), 'token', [1, 1, dims[0]!]),
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

function decoder(config: MitConfig, grids: Record<Modality, number[][]>): Declared[] {
  const { dims } = config.decoder;
  const inputs = [config.encoder.dims[dims.length]!, ...dims];
  const at = (name: string) => `backbone.${name}`;
  return [
    ...modalities.flatMap((m) =>
      dims.flatMap((dim, i) => [
        position(at(`DecPosEmbed${m}${i}`), m, grids[m][dims.length - 1 - i]!, dim),
        declare(at(`DecEmbed${m}${i}.proj.weight`), 'transposedConv', [inputs[i]!, dim, ...cube(2, m)], {
          modality: m,
        }),
        // PyTorch takes the second size of the weight as a layer's inputs, also where the convolution is transposed.
        declare(at(`DecEmbed${m}${i}.proj.bias`), 'convBias', [dim], { modality: m, fanIn: dim * 2 ** axes[m] }),
      ]),
    ),
    ...dims.flatMap((dim, i) => linear(at(`cls_tokens${i}`), dim, inputs[i]!)),
    ...dims.flatMap((_, i) => blocks(at(`Decblock${i}`), config.decoder, i, false)),
    ...norm(at('norm'), dims[dims.length - 1]!),
  ];
}

function head(config: MitConfig): Declared[] {
  const { hidden, bottleneck } = config.head;
  const feature = config.decoder.dims[config.decoder.dims.length - 1]!;
  return [
    ...linear('head.mlp.0', hidden, feature),
    ...linear('head.mlp.2', hidden, hidden),
    ...linear('head.mlp.4', bottleneck, hidden),
  ];
}

function lastLayer({ head: { bottleneck, out } }: MitConfig): Declared[] {
  return [
    declare(lastLayerMagnitude, 'magnitude', [out, 1]),
    declare(lastLayerDirection, 'direction', [out, bottleneck]),
  ];
}

/** All parameters of the network, by the reference's names and in its layouts; their order is ours. */
export function parameterTable(config: MitConfig): ParameterSpec[] {
  const stages = config.encoder.dims.length;
  const grids = { '2D': stageGrids('2D', config.size2D, stages), '3D': stageGrids('3D', config.size3D, stages) };
  const inGroup = (group: ParameterGroup, declared: Declared[]) => declared.map((spec) => ({ ...spec, group }));
  return [
    ...inGroup('backbone', [...encoder(config, grids), ...decoder(config, grids)]),
    ...inGroup('head', head(config)),
    ...inGroup('lastLayer', lastLayer(config)),
  ];
}
