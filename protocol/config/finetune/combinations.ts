import { deviceProblems } from '../deviceProblems.ts';
import type { ConfigProblem } from '../kind.ts';
import { sizeProblem, stagesProblem } from '../sizes.ts';
import type { FinetuneGiven } from './schema.ts';
import type { EpochMetric } from './trainSchema.ts';

const metricsOf: Readonly<Record<FinetuneGiven['problem'], readonly EpochMetric[]>> = {
  segmentation: ['dice', 'validationLoss'],
  classification: ['auc', 'accuracy', 'validationLoss'],
};

/** Values that are valid alone but not together. */
export function impossibleFinetune(config: FinetuneGiven): ConfigProblem[] {
  const { problem, modality, labels, data, plan, start, train, engine } = config;
  const problems: ConfigProblem[] = stagesProblem(config.model);
  const axes = modality === '2D' ? 2 : 3;
  for (const key of ['patch', 'spacing'] as const) {
    const value = plan[key];
    if (value && value.length !== axes)
      problems.push({
        path: ['plan', key],
        message: `has ${value.length} values, but modality is "${modality}"`,
        remedy: `Write ${axes} values.`,
      });
  }
  if (modality === '2D' && plan.spacing !== null && plan.spacing.length === 2)
    problems.push({
      path: ['plan', 'spacing'],
      message: 'pictures have no spacing',
      remedy: 'Write null. `patch` and `fit` decide the size of pictures.',
      replacement: 'null',
    });
  if (plan.patch?.length === axes) problems.push(...sizeProblem(['plan', 'patch'], modality, plan.patch));
  for (const [i, { normalization }] of (plan.channels ?? []).entries())
    if (normalization.scheme === 'clip' && normalization.range[0] >= normalization.range[1])
      problems.push({
        path: ['plan', 'channels', i, 'normalization', 'range'],
        message: `[${normalization.range.join(', ')}] is not a range: the first value must be below the second`,
      });
  if (data.split === null && data.fold !== 'all' && data.fold >= data.folds)
    problems.push({
      path: ['data', 'fold'],
      message: `there is no fold ${data.fold}: data.folds is ${data.folds}, and folds count from 0`,
      remedy: `The last fold is ${data.folds - 1}.`,
      replacement: String(data.folds - 1),
    });
  const metrics = metricsOf[problem];
  const asked: [string[], EpochMetric | undefined][] = [
    [['train', 'best'], train.best],
    [['train', 'earlyStopping', 'metric'], train.earlyStopping?.metric],
  ];
  for (const [path, metric] of asked)
    if (metric !== undefined && !metrics.includes(metric))
      problems.push({
        path,
        message: `"${metric}" is not measured for ${problem}`,
        remedy: `Valid: ${metrics.map((name) => `"${name}"`).join(', ')}.`,
        replacement: JSON.stringify(metrics[0]),
      });
  if (train.freeze !== 'none' && start.from === null)
    problems.push({
      path: ['train', 'freeze'],
      message: `"${train.freeze}" would keep random weights, because start.from is null`,
      remedy: 'Set start.from to pre-trained weights, or train.freeze to "none".',
      replacement: '"none"',
    });
  if (train.headFirstEpochs > 0 && start.from === null)
    problems.push({
      path: ['train', 'headFirstEpochs'],
      message: 'only pre-trained weights can wait for the head, but start.from is null',
      remedy: 'Set start.from to pre-trained weights, or train.headFirstEpochs to 0.',
      replacement: '0',
    });
  if (train.labelSmoothing > 0 && problem === 'segmentation')
    problems.push({
      path: ['train', 'labelSmoothing'],
      message: 'label smoothing is for classification',
      remedy: 'Set train.labelSmoothing to 0.',
      replacement: '0',
    });
  if (train.classWeights !== null && problem === 'segmentation' && labels === 'overlapping')
    problems.push({
      path: ['train', 'classWeights'],
      message: 'class weights are not for overlapping labels of voxels',
      remedy: 'Set train.classWeights to null.',
      replacement: 'null',
    });
  if (labels === 'overlapping' && problem === 'classification' && train.labelSmoothing > 0)
    problems.push({
      path: ['train', 'labelSmoothing'],
      message: 'label smoothing is for exclusive labels',
      remedy: 'Set train.labelSmoothing to 0.',
    });
  return [...problems, ...deviceProblems(engine)];
}
