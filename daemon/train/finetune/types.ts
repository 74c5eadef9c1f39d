import type { Executor } from '../../engine/index.ts';
import type { DownstreamConfig } from '../../model/downstream.ts';

/** What a network learns from labels, and by which loss. */
export type Problem = SegmentationProblem | ClassificationProblem;

export interface SegmentationProblem {
  readonly task: 'segmentation';
  /**
   * `exclusive`: one class a voxel by softmax, class 0 is the background; labels int32 [B, …size] are 0 … outputs − 1.
   * `overlapping`: any classes a voxel by sigmoid, no background; bit k of a label says that class k is there (at most 30 classes).
   * Either way −1 is a voxel that counts nowhere, where `ignore` allows it.
   */
  readonly labels: 'exclusive' | 'overlapping';
  readonly ignore: boolean;
  /** Dice over the whole batch at once (the reference's way), or image by image and then averaged. */
  readonly batchDice: boolean;
  /** Losses at the coarser scales too: weights 1, ½, ¼, ⅛, 0, normalised. Their labels are sampled inside the step. */
  readonly deepSupervision: boolean;
  /** Weights of the classes in the cross-entropy of exclusive labels, [outputs]. Default: 1 each. */
  readonly classWeights?: readonly number[];
}

export interface ClassificationProblem {
  readonly task: 'classification';
  /**
   * `exclusive`: one class an image by softmax, labels int32 [B]. `overlapping`: several at once by sigmoid, labels int32
   * [B, outputs], 1 or 0, −1 where it is not known.
   */
  readonly labels: 'exclusive' | 'overlapping';
  /** Weights of the classes, [outputs]. Default: 1 each. */
  readonly classWeights?: readonly number[];
  /** Share of an exclusive label that goes to all classes alike, 0 … 1. Default 0. */
  readonly labelSmoothing?: number;
}

/** AdamW with its betas and ε (default 0.9, 0.999, 1e-8), or SGD with Nesterov's momentum (default 0.99). */
export type OptimizerChoice =
  | { readonly kind: 'adamW'; readonly beta1?: number; readonly beta2?: number; readonly epsilon?: number }
  | { readonly kind: 'sgd'; readonly momentum?: number };

/**
 * What stays as it is: nothing; the encoder; the backbone, which is all that may come from pre-training (segmentation's decoder too);
 * everything but the last linear layers (a linear probe).
 */
export type Frozen = 'none' | 'encoder' | 'backbone' | 'all';

export interface FineTuneStateOptions {
  readonly model: DownstreamConfig;
  readonly optimizer: OptimizerChoice;
  /** Factor of the learning rate from each layer to the one before it, in (0, 1]; 1: the same rate everywhere. Default 1. */
  readonly layerDecay?: number;
  /** What no step will ever move; it gets no moments. Default 'none'. */
  readonly frozen?: Frozen;
}

/** What is fixed when a step is compiled. */
export interface FineTuneStepOptions {
  readonly problem: Problem;
  /** Images a step. */
  readonly batch: number;
  /** [H, W] or [D, H, W]. Default: the size that the model is made for. */
  readonly size?: readonly number[];
  /** Default 'graph'. */
  readonly executor?: Executor;
  /** What this step leaves alone, beside what the state has frozen: 'backbone' for "head first". Default 'none'. */
  readonly frozen?: Frozen;
  /** Largest norm of all gradients together (nnU-Net: 12); larger ones are scaled down. Default: no limit. */
  readonly clipGradient?: number;
  /** Rate of stochastic depth in the last block of encoder and decoder; it rises linearly from 0. Default 0: none. */
  readonly dropPath?: number;
}

/** What changes from step to step. */
export interface FineTuneStepInputs {
  /** [B, …size, channels] */
  readonly images: Float32Array;
  /** As `Problem` says. */
  readonly labels: Int32Array;
  readonly learningRate: number;
  readonly weightDecay: number;
  /** [branches, B], as `FineTuneStep.drawDropPath` gives them; needed where `dropPath` > 0. */
  readonly dropPathMasks?: Float32Array;
}

export interface FineTuneStepResult {
  readonly loss: number;
  /** Norm of all gradients together before clipping. */
  readonly gradientNorm: number;
  /** Segmentation: mean cross-entropy at the image's scale. */
  readonly crossEntropy?: number;
  /** Segmentation: soft Dice of each class over the batch at the image's scale, [outputs]; NaN where no voxel has the class. */
  readonly dice?: Float32Array;
  /** Classification: [B, outputs]. */
  readonly logits?: Float32Array;
}

/** A compiled step over a state. */
export interface FineTuneStep {
  readonly options: Required<FineTuneStepOptions>;
  /** Names of the parameters that it moves. */
  readonly trained: readonly string[];
  /** Masks of stochastic depth for one step from numbers uniform in [0, 1); undefined where `dropPath` is 0. */
  drawDropPath(uniform: () => number): Float32Array | undefined;
  /** Runs one step: moves parameters and moments, and counts the update. The event loop stays free. */
  run(inputs: FineTuneStepInputs): Promise<FineTuneStepResult>;
  dispose(): void;
}
