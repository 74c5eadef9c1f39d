import type { Evaluation } from '../../../protocol/evaluation/evaluation.ts';
import type { Score } from '../../checkpoint/score.ts';
import type { AdaptationPlan } from './adaptationPlan.ts';
import { cardNumbers, classNumbers, leakageText } from './cardNumbers.ts';

const pipelines = {
  pretrain: 'image-feature-extraction',
  segmentation: 'image-segmentation',
  classification: 'image-classification',
} as const;

export interface CardFacts {
  readonly parameters: number;
  /** The number by which the checkpoint was the best, measured on the run's own validation cases. */
  readonly score: Score | undefined;
  /** What an evaluation of this checkpoint found. */
  readonly evaluation: Evaluation | undefined;
}

/** A model card in Hugging Face's form (https://huggingface.co/docs/hub/model-cards): a YAML header and Markdown. */
export function modelCard(plan: AdaptationPlan, { score, parameters, evaluation }: CardFacts): string {
  const { architecture, network, task, labels } = plan;
  const kind = network?.problem ?? 'pretrain';
  const sizes = [architecture.size2D, architecture.size3D].flatMap((size) => (size ? [size.join(' × ')] : []));
  const lines = [
    '---',
    `library_name: pytorch`,
    `pipeline_tag: ${pipelines[kind]}`,
    'tags:',
    ...['medical-imaging', 'unimiss', kind === 'pretrain' ? 'self-supervised' : kind].map((tag) => `- ${tag}`),
    ...(task === 'finetune' ? modelIndex(plan, pipelines[kind], score, evaluation) : []),
    '---',
    '',
    `# ${plan.name}`,
    '',
    `A medical image transformer (MiT-${architecture.preset}, ${(parameters / 1e6).toFixed(1)} million parameters) ` +
      (task === 'pretrain'
        ? `pre-trained without labels by UniMiSS on 2D and 3D images (its ${plan.role}, after ${plan.step} steps).`
        : `fine-tuned by UniMiSS for ${network?.modality} ${kind} (after ${plan.step} steps).`),
    '',
    '| | |',
    '|---|---|',
    `| image sizes | ${sizes.join('; ')} |`,
    ...(labels.length > 0 ? [`| outputs | ${labels.map(cell).join(', ')} |`] : []),
    `| written by | UniMiSS ${plan.unimiss} |`,
    '',
    '`model.safetensors` holds the weights under the names of the reference implementation, and in its metadata, under `plan`, what is needed to adapt them: architecture, sizes, spacing, normalisation, labels, citation. `plan.json` is the same as a file.',
    '',
    '## Use',
    '',
    '```python',
    'from load import load',
    '',
    'weights, plan = load("model.safetensors")  # names → torch tensors; architecture, sizes, normalisation, labels',
    'model.load_state_dict(weights, strict=False)  # a network with the names of the reference implementation',
    '```',
    '',
    ...(task === 'pretrain'
      ? ['In UniMiSS: set `start.from` of a fine-tuning configuration to `model.safetensors`.', '']
      : []),
    '## Evaluation',
    '',
    ...(evaluation ? evaluationSection(evaluation) : []),
    score && task === 'finetune'
      ? `${score.series} = ${score.value.toPrecision(4)} on the validation cases of the run, by which this checkpoint was chosen. It is therefore optimistic; evaluate on cases that took no part in training.`
      : evaluation
        ? ''
        : 'Not evaluated on labelled images.',
    '',
    '## Limits',
    '',
    'For research. Not a medical device: not for diagnosis or treatment.',
    '',
    '## Citation',
    '',
    '```bibtex',
    plan.citation,
    '```',
    '',
  ];
  return lines.join('\n');
}

/** The results as Hugging Face reads them: those of an evaluation, else the score that chose the checkpoint. */
function modelIndex(
  { name }: AdaptationPlan,
  pipeline: string,
  score: Score | undefined,
  evaluation: Evaluation | undefined,
): string[] {
  const numbers = evaluation ? cardNumbers(evaluation) : score ? [{ type: score.series, value: score.value }] : [];
  if (numbers.length === 0) return [];
  return [
    'model-index:',
    `- name: ${JSON.stringify(name)}`,
    '  results:',
    '  - task:',
    `      type: ${pipeline}`,
    '    dataset:',
    `      name: ${evaluation?.split ?? 'validation'} cases of the run`,
    '      type: private',
    '    metrics:',
    ...numbers.flatMap((number) => [
      `    - type: ${JSON.stringify(number.type)}`,
      ...('name' in number ? [`      name: ${JSON.stringify(number.name)}`] : []),
      `      value: ${number.value}`,
    ]),
  ];
}

/** The numbers of an evaluation with their intervals, and those of each class. */
function evaluationSection(evaluation: Evaluation): string[] {
  const { split, patients, cases, leakage, problem } = evaluation;
  const short = (value: number | null) => (value === null ? '–' : value.toPrecision(4));
  return [
    `Measured on ${cases.length} ${split} cases of ${patients} patients of the run's data set. ${leakageText(leakage)}`,
    '',
    '| | value | 95 % interval |',
    '|---|---|---|',
    ...cardNumbers(evaluation).map(
      ({ name, value, interval }) =>
        `| ${name} | ${short(value)} | ${interval ? `${short(interval.low)} to ${short(interval.high)}` : '–'} |`,
    ),
    '',
    `| class | ${problem === 'segmentation' ? 'Dice' : 'AUC'} |`,
    '|---|---|',
    ...classNumbers(evaluation).map(({ name, value }) => `| ${cell(name)} | ${short(value)} |`),
    '',
  ];
}

/** A name in a cell of a table. */
function cell(text: string): string {
  return text.replace(/[\\|`*_<>[\]]/g, '\\$&').replace(/\s+/g, ' ');
}
