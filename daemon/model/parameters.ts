import { type Modality, modalities } from '../../protocol/modality.ts';
import type { BackboneConfig, MitConfig } from './config.ts';
import { stageGrids } from './geometry.ts';
import { blocks, convBlock, type Declared, declare, linear, norm, position, upsampling } from './layers.ts';
import type { ParameterGroup, ParameterSpec } from './parameterSpec.ts';

export type { ParameterForm, ParameterGroup, ParameterKind, ParameterSpec } from './parameterSpec.ts';

export const lastLayerDirection = 'head.last_layer.weight_v';
export const lastLayerMagnitude = 'head.last_layer.weight_g';

/** In what networks with the same backbone differ. */
export interface BackboneForm {
  /** The modalities that it has layers of its own for. */
  readonly of: readonly Modality[];
  /** Channels of the images. */
  readonly channels: Readonly<Record<Modality, number>>;
  /** Class tokens of an image. */
  readonly classTokens: 0 | 1;
}

const pretraining: BackboneForm = { of: modalities, channels: { '2D': 3, '3D': 1 }, classTokens: 1 };

function gridsOf(config: BackboneConfig): Record<Modality, number[][]> {
  const stages = config.encoder.dims.length;
  return { '2D': stageGrids('2D', config.size2D, stages), '3D': stageGrids('3D', config.size3D, stages) };
}

export function encoderParameters(config: BackboneConfig, { of, channels, classTokens }: BackboneForm): Declared[] {
  const { dims } = config.encoder;
  const grids = gridsOf(config);
  const at = (name: string) => `backbone.transformer.${name}`;
  return [
    ...of.flatMap((m) =>
      dims.map((dim, i) => position(at(`pos_embed${m}${i + 1}`), m, grids[m][i]!, dim, classTokens)),
    ),
    ...(classTokens === 0
      ? []
      : [
          declare(at('cls_tokens1'), 'token', [1, 1, dims[0]!]),
          ...dims.slice(1).flatMap((dim, i) => linear(at(`cls_tokens${i + 2}`), dim, dims[i]!)),
        ]),
    ...of.flatMap((m) => [
      ...convBlock(at(`patch_embed${m}0`), m, channels[m], config.stem, 7),
      ...dims.flatMap((dim, i) =>
        convBlock(at(`patch_embed${m}${i + 1}.proj`), m, i === 0 ? config.stem : dims[i - 1]!, dim, 3),
      ),
    ]),
    ...dims.flatMap((_, i) => blocks(at(`block${i + 1}`), { stages: config.encoder, qkvBias: true, of }, i)),
  ];
}

export function decoderParameters(config: BackboneConfig, { of, classTokens }: BackboneForm): Declared[] {
  const { dims } = config.decoder;
  const grids = gridsOf(config);
  const inputs = [config.encoder.dims[dims.length]!, ...dims];
  const at = (name: string) => `backbone.${name}`;
  return [
    ...of.flatMap((m) =>
      dims.flatMap((dim, i) => [
        position(at(`DecPosEmbed${m}${i}`), m, grids[m][dims.length - 1 - i]!, dim, classTokens),
        ...upsampling(at(`DecEmbed${m}${i}.proj`), m, inputs[i]!, dim),
      ]),
    ),
    ...(classTokens === 0 ? [] : dims.flatMap((dim, i) => linear(at(`cls_tokens${i}`), dim, inputs[i]!))),
    ...dims.flatMap((_, i) => blocks(at(`Decblock${i}`), { stages: config.decoder, qkvBias: false, of }, i)),
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
  const inGroup = (group: ParameterGroup, declared: Declared[]) => declared.map((spec) => ({ ...spec, group }));
  return [
    ...inGroup('backbone', [...encoderParameters(config, pretraining), ...decoderParameters(config, pretraining)]),
    ...inGroup('head', head(config)),
    ...inGroup('lastLayer', lastLayer(config)),
  ];
}
