import type { Modality } from '../../protocol/modality.ts';

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

/** The part of the network that a parameter belongs to. `lastLayer` is the projection head's, which may train and rest on its own. */
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
  /** Cells along each axis, [y, x] or [z, y, x]; given for position embeddings. Rows beyond them are class tokens' and come first. */
  readonly grid?: readonly number[];
}

/** What layout and initialisation depend on. */
export type ParameterForm = Pick<ParameterSpec, 'kind' | 'shape' | 'fanIn'>;
