import type { Modality } from '../../../protocol/modality.ts';
import type { Executor } from '../../engine/index.ts';

/** The options that are fixed when a step is compiled. */
export interface PretrainStepOptions {
  /** Pictures and their loss, or volumes with their slices and the four-term loss. */
  readonly phase: Modality;
  /** Images per step, in all micro-batches together; each has two views. */
  readonly batch: number;
  /** Number of micro-batches per step, to save memory; divides `batch`. The result equals that of the full batch. Default 1. */
  readonly accumulate?: number;
  /** Default 'graph'. */
  readonly executor?: Executor;
  /** Size of the views: [H, W] pixels or [D, H, W] voxels. Default: the size of the model. */
  readonly size?: readonly number[];
  /** Largest norm of one parameter's gradient. Default 0.3. */
  readonly clipGradient?: number;
  /** Rate of stochastic depth in the last block of encoder and decoder; it rises linearly from 0. Default 0: none. */
  readonly dropPath?: number;
  /** Default 0.1. */
  readonly studentTemperature?: number;
  /** Default 0.9. */
  readonly centerMomentum?: number;
  /** Weight of KoLeo's regulariser (koleo.ts); needs a batch of at least 2 in one part. Default 0: none. */
  readonly koleo?: number;
  /** In 3D, distance between the slices of a volume that also pass as pictures; divides the slices of a view. Default 1. */
  readonly sliceStride?: number;
  /** Adam's betas and epsilon. Default 0.9, 0.999, 1e-8. */
  readonly adam?: { readonly beta1?: number; readonly beta2?: number; readonly epsilon?: number };
}

/** The inputs that change from step to step. */
export interface PretrainStepInputs {
  /** [2B, H, W, 3] or [2B, D, H, W, 1]: first view of all B images, then the second of all. */
  readonly views: Float32Array;
  readonly learningRate: number;
  readonly weightDecay: number;
  /** Share of the teacher that is kept, 0–1. */
  readonly momentum: number;
  readonly teacherTemperature: number;
  /** True in epoch 0: the head's last layer is neither moved nor decayed, and its moments stay. */
  readonly lastLayerFrozen: boolean;
  /** [blocks, samples], from `PretrainStep.drawDropPath`; needed if `dropPath` > 0. */
  readonly dropPathMasks?: Float32Array;
}

export interface PretrainStepResult {
  /** Sum of the terms, without KoLeo. */
  readonly loss: number;
  /** `lossTerms` of the phase (protocol/records/series.ts) has their names. */
  readonly terms: readonly number[];
  /** KoLeo's regulariser before it is weighted; absent without it. */
  readonly koleo?: number;
  /** Norm of the whole gradient before clipping (including a frozen last layer). */
  readonly gradientNorm: number;
  /** Norm of each parameter's gradient before clipping, in the order of `PretrainStep.trained`. */
  readonly gradientNorms: Float32Array;
  /** Mean entropy of the teacher's sharpened outputs, nats; 0 or log(outputs) are signs of collapse. */
  readonly teacherEntropy: number;
  /** KL divergence of the teacher's mean output from the uniform distribution, nats; large means few outputs are used. */
  readonly teacherKl: number;
  /** `teacherEntropy` and `teacherKl` of each term, in the order of `terms`. */
  readonly teacherEntropies: Float32Array;
  readonly teacherKls: Float32Array;
  /** Student's backbone features of the views, [2B, featureLength]. */
  readonly features: Float32Array;
  /** In 3D their mean over the slices of each view, [2B, featureLength]. */
  readonly sliceFeatures?: Float32Array;
}

/** A compiled pre-training step over a state. */
export interface PretrainStep {
  readonly options: Required<PretrainStepOptions>;
  /** Names of the parameters with a gradient in this phase. */
  readonly trained: readonly string[];
  /** Masks of stochastic depth for one step from numbers uniform in [0, 1); undefined if `dropPath` is 0. */
  drawDropPath(uniform: () => number): Float32Array | undefined;
  /**
   * Runs one step; moves student, moments, teacher and centre, and counts the step. The event loop stays free. Where the engine queues
   * calls, the next one may be made before this one ends.
   */
  run(inputs: PretrainStepInputs): Promise<PretrainStepResult>;
  dispose(): void;
}
