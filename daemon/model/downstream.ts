import type { Modality } from '../../protocol/modality.ts';
import type { Pass } from './backbone.ts';
import type { BackboneConfig } from './config.ts';
import { axes, convBlock, type Declared, declare, linear, norm, upsampling } from './layers.ts';
import { decoderParameters, encoderParameters, type ParameterSpec } from './parameters.ts';
import type { Weights } from './weights.ts';

export type DownstreamTask = 'classification' | 'segmentation';

/** A network that is fine-tuned: the pre-trained encoder (for segmentation the decoder as well) with a head of its own. */
export interface DownstreamConfig {
  readonly task: DownstreamTask;
  readonly modality: Modality;
  /** Its `size2D` or `size3D` is the size that the position embeddings are made for. */
  readonly backbone: BackboneConfig;
  /** Channels of the images. */
  readonly channels: number;
  /** Outputs: classes of an image, or of a voxel (exclusive ones with the background). */
  readonly outputs: number;
}

/** A parameter of a downstream network, under the name that the reference's downstream network has for it. */
export interface DownstreamSpec extends ParameterSpec {
  /** Its name in pre-training's network; null for parameters of the head. */
  readonly pretrained: string | null;
  /** 0 at the images, one more for each block, the highest at the head: layer-wise learning rates fall with the distance from it. */
  readonly layer: number;
}

/**
 * The reference's name of a backbone's parameter in a downstream network. Its classification keeps the modality in the names of
 * the encoder; its segmentation has none.
 */
export function downstreamName({ task, modality }: Pick<DownstreamConfig, 'task' | 'modality'>, pretrained: string) {
  if (task === 'classification') return pretrained.replace(/^backbone\.transformer\./, '');
  return pretrained
    .replace(/^backbone\./, '')
    .replace(new RegExp(`^((transformer\\.)?(pos_embed|patch_embed|DecPosEmbed|DecEmbed))${modality}`), '$1')
    .replace(`.attn.sr${modality}.`, '.attn.sr.');
}

/** A pass of a downstream network over images. */
export interface DownstreamPass extends Omit<Pass, 'config' | 'weights' | 'modality'> {
  readonly config: DownstreamConfig;
  /** By the names of `downstreamTable`. */
  readonly weights: Weights;
}

/** The backbone's part of it. */
export function backbonePass({ config, weights, ...rest }: DownstreamPass): Pass {
  const byPretrained: Weights = (name) => weights(downstreamName(config, name));
  return { ...rest, config: config.backbone, modality: config.modality, weights: byPretrained };
}

/** Class tokens of an image in the backbone: segmentation does without. */
export function classTokensOf(task: DownstreamTask): 0 | 1 {
  return task === 'classification' ? 1 : 0;
}

/** The classifiers of deep supervision, one for each stage of the decoder and for the map after it; the coarsest first. */
export function supervisionName(scale: number): string {
  return `ds${scale}_cls_conv`;
}

function classifier(name: string, { modality, outputs }: DownstreamConfig, inputs: number): Declared[] {
  const kernel = new Array<number>(axes[modality]).fill(1);
  return [
    declare(`${name}.weight`, 'conv', [outputs, inputs, ...kernel]),
    declare(`${name}.bias`, 'convBias', [outputs], { fanIn: inputs }),
  ];
}

function classificationHead({ backbone, outputs }: DownstreamConfig): Declared[] {
  const dim = backbone.encoder.dims.at(-1)!;
  return [...norm('norm_new', dim), ...linear('head_new', outputs, dim)];
}

function segmentationHead(config: DownstreamConfig): Declared[] {
  const { backbone, modality } = config;
  const { dims } = backbone.decoder;
  return [
    ...upsampling('transposeconv_stage3', modality, dims.at(-1)!, backbone.stem),
    ...convBlock('stage3_de', modality, backbone.stem, backbone.stem, 3),
    ...[...dims, backbone.stem].flatMap((dim, scale) => classifier(supervisionName(scale), config, dim)),
    ...classifier('cls_conv', config, backbone.stem),
  ];
}

/** The layer of a backbone's parameter: 0 the stem, then one for each block of the encoder and the decoder; what feeds a stage's first block counts with that. */
function layerOf({ encoder, decoder }: BackboneConfig, name: string): number {
  const before = (depths: readonly number[], stage: number) => depths.slice(0, stage).reduce((a, b) => a + b, 0);
  const firstOf = (side: 'encoder' | 'decoder', stage: number) =>
    side === 'encoder'
      ? 1 + before(encoder.depths, stage)
      : 1 + before(encoder.depths, encoder.depths.length) + before(decoder.depths, stage);
  const part = name.replace(/^backbone\.(transformer\.)?/, '');
  const side = name.startsWith('backbone.transformer.') ? 'encoder' : 'decoder';
  const block = /^(?:block|Decblock)(\d+)\.(\d+)\./.exec(part);
  if (block) return firstOf(side, Number(block[1]) - (side === 'encoder' ? 1 : 0)) + Number(block[2]);
  const stage = /^(?:pos_embed|patch_embed|cls_tokens|DecPosEmbed|DecEmbed)(?:[23]D)?(\d+)/.exec(part)?.[1];
  if (stage === undefined) return firstOf('decoder', decoder.depths.length) - 1; // the decoder's last norm
  if (side === 'decoder') return firstOf(side, Number(stage));
  return stage === '0' ? 0 : firstOf(side, Number(stage) - 1);
}

/** All parameters of a downstream network, by the reference's names and in its layouts; their order is ours. */
export function downstreamTable(config: DownstreamConfig): DownstreamSpec[] {
  const { task, modality, backbone } = config;
  const channels = { '2D': config.channels, '3D': config.channels };
  const form = { of: [modality], channels, classTokens: classTokensOf(task) };
  const pretrained = [
    ...encoderParameters(backbone, form),
    ...(task === 'segmentation' ? decoderParameters(backbone, form) : []),
  ].map((spec) => ({
    ...spec,
    name: downstreamName(config, spec.name),
    pretrained: spec.name,
    group: 'backbone' as const,
    layer: layerOf(backbone, spec.name),
  }));
  const head = task === 'classification' ? classificationHead(config) : segmentationHead(config);
  const layer = 1 + Math.max(...pretrained.map((spec) => spec.layer));
  return [...pretrained, ...head.map((spec) => ({ ...spec, pretrained: null, group: 'head' as const, layer }))];
}
