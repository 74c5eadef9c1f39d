import { presets as common, type PresetName, type Stages } from '../../protocol/config/pretrain/presets.ts';

/** Attention blocks of one side of the network, stage by stage. */
export interface StagesConfig {
  /** Blocks in each stage. */
  readonly depths: readonly number[];
  /** Channels of each stage. */
  readonly dims: readonly number[];
  readonly heads: readonly number[];
  /** Spatial reduction of keys and values ("sr" in the paper): kernel and stride of the convolution; 1 means none. */
  readonly reductions: readonly number[];
}

/** The projection head: Linear → GELU → Linear → GELU → Linear → L2 norm → weight-normalised Linear without bias. */
export interface HeadConfig {
  readonly hidden: number;
  readonly bottleneck: number;
  readonly out: number;
}

/**
 * A medical image transformer (MiT) with decoder, as in "the paper": Y. Xie, J. Zhang, Y. Xia, Q. Wu, "UniMiSS: Universal Medical
 * Self-Supervised Learning via Breaking Dimensionality Barrier", ECCV 2022.
 */
export interface BackboneConfig {
  /** Channels of the stem's output. */
  readonly stem: number;
  readonly encoder: StagesConfig;
  /** Its dims are the encoder's, reversed and without the deepest: skip connections are added. */
  readonly decoder: StagesConfig;
  /** Sizes of the position embeddings: [H, W] in pixels, [D, H, W] in voxels. For other sizes they are interpolated. */
  readonly size2D: readonly [number, number];
  readonly size3D: readonly [number, number, number];
}

/** The network of pre-training: backbone and projection head. */
export interface MitConfig extends BackboneConfig {
  readonly head: HeadConfig;
}

const paperEncoder = { dims: [48, 128, 256, 512], heads: [1, 2, 4, 8], reductions: [6, 4, 2, 1] } as const;
const paperDecoder = { dims: [256, 128, 48], heads: [8, 4, 2], reductions: [2, 4, 6] } as const;

/** Sizes and head of a preset, which a run may override (protocol/config/presets.ts). */
function commonOf(name: PresetName): Pick<MitConfig, 'head' | 'size2D' | 'size3D'> {
  const { head, size2D, size3D } = common[name];
  return { head: { hidden: head.hidden, bottleneck: head.bottleneck, out: head.outDim }, size2D, size3D };
}

/** MiT-tiny and MiT-small are the paper's; MiT-nano is ours, for demonstrations and tests on small machines. */
export const presets: Readonly<Record<PresetName, MitConfig>> = {
  nano: {
    ...commonOf('nano'),
    stem: 16,
    encoder: { depths: [1, 1, 1], dims: [24, 48, 96], heads: [1, 2, 4], reductions: [4, 2, 1] },
    decoder: { depths: [1, 1], dims: [48, 24], heads: [2, 1], reductions: [2, 4] },
  },
  tiny: {
    ...commonOf('tiny'),
    stem: 32,
    encoder: { depths: [1, 1, 1, 1], ...paperEncoder },
    decoder: { depths: [1, 1, 1], ...paperDecoder },
  },
  small: {
    ...commonOf('small'),
    stem: 32,
    encoder: { depths: [2, 3, 4, 3], ...paperEncoder },
    decoder: { depths: [3, 4, 3], ...paperDecoder },
  },
};

/** `nano` of earlier versions: with views of 64×64 its last stage has four positions, over which InstanceNorm erases most of an image. */
const fourStageNano: MitConfig = {
  ...presets.nano,
  encoder: { depths: [1, 1, 1, 1], dims: [24, 48, 96, 128], heads: [1, 2, 4, 4], reductions: [4, 2, 2, 1] },
  decoder: { depths: [1, 1, 1], dims: [96, 48, 24], heads: [4, 2, 1], reductions: [2, 2, 4] },
};

/** The network of a preset. @param stages of its encoder; runs that do not record them have 4 */
export function presetWith({ preset, stages = 4 }: { preset: PresetName; stages?: Stages | undefined }): MitConfig {
  return preset === 'nano' && stages === 4 ? fourStageNano : presets[preset];
}

/** Length of the feature vector that the backbone returns for an image. */
export function featureLength(config: MitConfig): number {
  return config.decoder.dims[config.decoder.dims.length - 1]!;
}
