import { version } from '../../../package.json';
import { finetuneKind, requireFinetune } from '../../../protocol/config/finetune/index.ts';
import type { PretrainConfig } from '../../../protocol/config/index.ts';
import { pretrainKind, requirePretrain } from '../../../protocol/config/pretrain/index.ts';
import { UnimissError } from '../../../protocol/errors.ts';
import type { JsonObject } from '../../../protocol/json.ts';
import { type MitConfig, presetWith } from '../../model/config.ts';
import { type NetworkPlan, readNetworkPlan } from '../folder/networkPlan.ts';
import type { RunFolder } from '../folder/runFolder.ts';
import { modelConfig } from '../start/modelConfig.ts';

/** The paper to cite, as BibTeX. */
export const citation = `@inproceedings{xie2022unimiss,
  title     = {{UniMiSS}: Universal Medical Self-Supervised Learning via Breaking Dimensionality Barrier},
  author    = {Xie, Yutong and Zhang, Jianpeng and Xia, Yong and Wu, Qi},
  booktitle = {European Conference on Computer Vision},
  year      = {2022}
}`;

/** What others need to use or adapt exported weights. Names of files and of images are not in it. */
export interface AdaptationPlan {
  readonly format: 'unimiss-plan-1';
  readonly unimiss: string;
  readonly task: 'pretrain' | 'finetune';
  readonly name: string;
  /** Steps that the weights were trained for. */
  readonly step: number;
  /** The network whose weights they are: `student` or `teacher` of a pre-training, `network` of a fine-tuning. */
  readonly role: string;
  readonly architecture: {
    readonly family: 'MiT';
    readonly preset: string;
    readonly stem: number;
    readonly encoder: MitConfig['encoder'];
    readonly decoder: MitConfig['decoder'];
    readonly head: MitConfig['head'] | null;
    /** Image sizes that the position embeddings are made for; null for a modality that the network has not. */
    readonly size2D: readonly number[] | null;
    readonly size3D: readonly number[] | null;
  };
  /** How images become inputs. */
  readonly inputs: JsonObject;
  /** Outputs of a fine-tuned network in their order; [] after pre-training. */
  readonly labels: readonly string[];
  /** `network.json` of a fine-tuning run; null after pre-training. */
  readonly network: NetworkPlan | null;
  readonly citation: string;
}

type Common = Pick<AdaptationPlan, 'format' | 'unimiss' | 'name' | 'step' | 'role' | 'citation'>;

/**
 * The plan of a run's weights.
 * @throws UnimissError 'run' if the kind of run has no weights to export, or a fine-tuning has not begun
 */
export async function adaptationPlan(run: RunFolder, step: number, role: string): Promise<AdaptationPlan> {
  const common: Common = {
    format: 'unimiss-plan-1',
    unimiss: version,
    name: run.config.name,
    step,
    role,
    citation,
  };
  if (run.task === pretrainKind.task) return pretrainingPlan(common, requirePretrain(run.config));
  if (run.task !== finetuneKind.task)
    throw new UnimissError('run', `a run of kind "${run.task}" has no weights to export`, {
      place: run.folder,
      remedy: 'Name a pre-training or fine-tuning run.',
    });
  const network = await readNetworkPlan(run);
  if (network) return finetuningPlan(common, network, requireFinetune(run.config).name);
  throw new UnimissError('run', 'this run has no network.json yet', {
    place: run.folder,
    remedy: 'Start the run; it writes the file at the beginning.',
  });
}

function pretrainingPlan(common: Common, { model, data }: PretrainConfig): AdaptationPlan {
  const { stem, encoder, decoder, head, size2D, size3D } = modelConfig(model);
  return {
    ...common,
    task: 'pretrain',
    architecture: { family: 'MiT', preset: model.preset, stem, encoder, decoder, head, size2D, size3D },
    inputs: {
      '2D': { layout: '[batch, 3, height, width]', values: 'red, green, blue from 0 to 1; grey is repeated' },
      '3D': {
        layout: '[batch, 1, slices, height, width]',
        spacing: data.resample ? [...data.spacing] : null,
        values: 'Hounsfield units divided by 1024',
      },
    },
    labels: [],
    network: null,
  };
}

function finetuningPlan(common: Common, network: NetworkPlan, name: string): AdaptationPlan {
  const { stem, encoder, decoder } = presetWith(network);
  const { modality, patch, problem } = network;
  return {
    ...common,
    name,
    task: 'finetune',
    architecture: {
      ...{ family: 'MiT', preset: network.preset, stem, encoder, decoder, head: null },
      size2D: modality === '2D' ? patch : null,
      size3D: modality === '3D' ? patch : null,
    },
    inputs: {
      problem,
      layout: modality === '2D' ? '[batch, channels, height, width]' : '[batch, channels, slices, height, width]',
      spacing: network.spacing,
      channels: network.channels,
    },
    labels: network.classes.map(({ name: label }) => label),
    network,
  };
}
