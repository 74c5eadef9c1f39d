import type { Modality } from '../../protocol/modality.ts';
import type { StagesConfig } from './config.ts';
import { cells } from './geometry.ts';
import type { ParameterKind, ParameterSpec } from './parameterSpec.ts';

/** The parameters of layers, under the reference's names and in its layouts. */

/** Axes of space. */
export const axes: Readonly<Record<Modality, number>> = { '2D': 2, '3D': 3 };

/** A parameter as its layer declares it; a network's table adds the group. */
export type Declared = Omit<ParameterSpec, 'group'>;

const withoutDecay: ReadonlySet<ParameterKind> = new Set(['bias', 'convBias', 'gain', 'shift']);

export function declare(
  name: string,
  kind: ParameterKind,
  shape: readonly number[],
  { modality = null, ...more }: { modality?: Modality | null } & Pick<ParameterSpec, 'fanIn' | 'grid'> = {},
): Declared {
  const traits = { modality, decays: !withoutDecay.has(kind), learns: kind !== 'magnitude' };
  return { name, kind, shape, ...traits, ...more };
}

export function linear(name: string, out: number, inputs: number, bias = true): Declared[] {
  const weight = declare(`${name}.weight`, 'linear', [out, inputs]);
  return bias ? [weight, declare(`${name}.bias`, 'bias', [out])] : [weight];
}

export function norm(name: string, dim: number, modality: Modality | null = null): Declared[] {
  return [
    declare(`${name}.weight`, 'gain', [dim], { modality }),
    declare(`${name}.bias`, 'shift', [dim], { modality }),
  ];
}

export function cube(length: number, modality: Modality): number[] {
  return new Array<number>(axes[modality]).fill(length);
}

export function convBlock(name: string, modality: Modality, inputs: number, out: number, kernel: number): Declared[] {
  return [
    declare(`${name}.conv.weight`, 'conv', [out, inputs, ...cube(kernel, modality)], { modality }),
    ...norm(`${name}.norm`, out, modality),
  ];
}

function spatialReduction(name: string, dim: number, reduction: number, of: readonly Modality[]): Declared[] {
  return of.flatMap((modality) => {
    const kernel = cube(reduction, modality);
    return [
      declare(`${name}.sr${modality}.weight`, 'conv', [dim, dim, ...kernel], { modality }),
      declare(`${name}.sr${modality}.bias`, 'convBias', [dim], { modality, fanIn: dim * cells(kernel) }),
    ];
  });
}

/** What the blocks of one side of the network depend on. */
interface BlocksForm {
  readonly stages: StagesConfig;
  /** Queries, keys and values have biases. */
  readonly qkvBias: boolean;
  /** The modalities that the network has layers of its own for. */
  readonly of: readonly Modality[];
}

function block(name: string, { stages, qkvBias, of }: BlocksForm, stage: number): Declared[] {
  const dim = stages.dims[stage]!;
  const reduction = stages.reductions[stage]!;
  return [
    ...norm(`${name}.norm1`, dim),
    ...linear(`${name}.attn.q`, dim, dim, qkvBias),
    ...linear(`${name}.attn.kv`, 2 * dim, dim, qkvBias),
    ...linear(`${name}.attn.proj`, dim, dim),
    ...(reduction > 1
      ? [...spatialReduction(`${name}.attn`, dim, reduction, of), ...norm(`${name}.attn.norm`, dim)]
      : []),
    ...norm(`${name}.norm2`, dim),
    ...linear(`${name}.mlp.fc1`, 4 * dim, dim),
    ...linear(`${name}.mlp.fc2`, dim, 4 * dim),
  ];
}

export function blocks(name: string, form: BlocksForm, stage: number): Declared[] {
  return Array.from({ length: form.stages.depths[stage]! }, (_, i) => block(`${name}.${i}`, form, stage)).flat();
}

export function position(
  name: string,
  modality: Modality,
  grid: readonly number[],
  dim: number,
  classTokens: 0 | 1,
): Declared {
  return declare(name, 'token', [1, classTokens + cells(grid), dim], { modality, grid });
}

/** A transposed convolution with kernel and stride 2. */
export function upsampling(name: string, modality: Modality, inputs: number, out: number): Declared[] {
  return [
    declare(`${name}.weight`, 'transposedConv', [inputs, out, ...cube(2, modality)], { modality }),
    // PyTorch takes the second size of the weight as a layer's inputs, also where the convolution is transposed.
    declare(`${name}.bias`, 'convBias', [out], { modality, fanIn: out * 2 ** axes[modality] }),
  ];
}
