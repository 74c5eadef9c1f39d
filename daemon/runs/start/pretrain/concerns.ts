import type { PretrainConfig } from '../../../../protocol/config/index.ts';
import { ofPhase } from '../../../../protocol/config/pretrain/byPhase.ts';
import { type Modality, modalities } from '../../../../protocol/modality.ts';
import type { Concern } from '../../../../protocol/runs/forecast.ts';
import { count, thousands } from '../../../../protocol/words.ts';
import type { Dataset } from '../../../data/datasets/unlabelled.ts';
import type { PretrainPlan } from '../../../train/pretrain/plan.ts';

/** The paper's peak learning rate for a total batch of 256 (its default here), and how far from it a rate looks like a slip. */
const usualRate = 8e-4;
const farFrom = { above: 10, below: 50 };

/** What looks wrong with a pre-training that could start. */
export function pretrainConcerns(config: PretrainConfig, dataset: Dataset, plan: PretrainPlan): Concern[] {
  return [
    ...brokenImages(config, dataset),
    ...smallSets(config, dataset, plan),
    ...unreached(config, dataset, plan),
    ...rates(config),
    ...slowTeacher(config, plan),
  ];
}

/** The share of unreadable images that the run allows is checked here, since the survey lists all. */
export function brokenImages({ data }: PretrainConfig, { broken, found }: Dataset): Concern[] {
  if (broken.length === 0) return [];
  const message = `${count(broken.length, 'image')} of ${thousands(found)} cannot be read`;
  const field = 'data.maxBroken';
  if (broken.length <= data.maxBroken * found)
    return [{ severity: 'warning', field, message, remedy: 'Repair or remove them. The run skips them.' }];
  return [
    {
      severity: 'error',
      code: 'data',
      field,
      message: `${message}; allowed: ${thousands(Math.floor(data.maxBroken * found))}`,
      remedy: 'Repair or remove them, or raise data.maxBroken.',
      fix: [{ field, value: Math.ceil((100 * broken.length) / found) / 100 }],
    },
  ];
}

const nounOf = { '2D': '2D image', '3D': 'volume' } as const;

function used(plan: PretrainPlan): Modality[] {
  return modalities.filter((modality) => plan.epochs.some(({ group }) => group === modality));
}

function smallSets({ train }: PretrainConfig, dataset: Dataset, plan: PretrainPlan): Concern[] {
  return used(plan).flatMap((modality): Concern[] => {
    const images = dataset.samples(modality).length;
    const batch = train.batch[modality] * train.accumulate;
    if (images >= batch) return [];
    const whole = train.accumulate > 1 ? [{ field: 'train.accumulate', value: 1 }] : [];
    const possible = images >= (train.koleo > 0 ? 2 : 1);
    return [
      {
        severity: 'warning',
        field: `train.batch.${modality}`,
        message: `${count(batch, 'image')} per batch, but only ${count(images, nounOf[modality])} found`,
        remedy: `They repeat within a batch. Set train.batch.${modality} to at most ${images}${train.accumulate > 1 ? ' and train.accumulate to 1' : ''}, or add images.`,
        ...(possible && { fix: [{ field: `train.batch.${modality}`, value: images }, ...whole] }),
      },
    ];
  });
}

function unreached({ train, data }: PretrainConfig, dataset: Dataset, plan: PretrainPlan): Concern[] {
  const wanted = modalities.filter(
    (m) => (data.modalities === 'auto' || data.modalities === 'both') && dataset.samples(m).length > 0,
  );
  const missing = wanted.find((modality) => !used(plan).includes(modality));
  if (missing === undefined) return [];
  return [
    {
      severity: 'warning',
      field: 'train.interval',
      message: `the run never trains on its ${count(dataset.samples(missing).length, nounOf[missing])}: its ${count(train.epochs, 'epoch')} end before the change after ${count(train.interval, 'epoch')}`,
      remedy: `Set train.epochs to at least ${train.interval * 2}, or train.interval lower.`,
      fix: [{ field: 'train.epochs', value: train.interval * 2 }],
    },
  ];
}

function rates({ train }: PretrainConfig): Concern[] {
  const given =
    typeof train.lr === 'number'
      ? [['train.lr', train.lr] as const]
      : modalities.map((phase) => [`train.lr.${phase}`, ofPhase(train.lr, phase)] as const);
  return given.flatMap(([field, rate]) => farRate(field, rate));
}

function farRate(field: string, rate: number): Concern[] {
  const ratio = rate / usualRate;
  if (ratio <= farFrom.above && ratio >= 1 / farFrom.below) return [];
  const far = ratio > 1 ? `${Number(ratio.toPrecision(2))} times` : `1/${Math.round(1 / ratio)} of`;
  return [
    {
      severity: 'warning',
      field,
      message: `a learning rate of ${rate} is ${far} the paper's ${usualRate}`,
      remedy: `Give the rate for a total batch of 256: UniMiSS scales it by batch × accumulate / 256.`,
      fix: [{ field, value: usualRate }],
    },
  ];
}

/** With a momentum m the teacher is an average over about 1 / (1 − m) steps of the student. */
function slowTeacher({ train }: PretrainConfig, { steps }: PretrainPlan): Concern[] {
  const [start, end] = train.momentum;
  const memory = Math.round(1 / (1 - start));
  if (start >= 1 || steps >= 2 * memory) return [];
  const quick = [0.99, 0.98, 0.95, 0.9].find((momentum) => steps >= 2 / (1 - momentum));
  return [
    {
      severity: 'warning',
      field: 'train.momentum',
      message: `${start} is slow for ${count(steps, 'step')}: the teacher averages over about ${thousands(memory)} steps`,
      remedy:
        'It would hardly change. Train for more steps, or lower the first value of train.momentum (0.9 for very short runs).',
      ...(quick !== undefined && { fix: [{ field: 'train.momentum', value: [quick, end] }] }),
    },
  ];
}
