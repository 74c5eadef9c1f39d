import type { ConfigProblem } from '../kind.ts';
import { smallestSide, strides } from './presets.ts';
import type { PretrainGiven } from './schema.ts';

/** The multiple of `step` nearest to `value`, but at least `least`. */
const nearestMultiple = (value: number, step: number, least: number): number =>
  Math.max(Math.ceil(least / step) * step, Math.round(value / step) * step);

function sizeProblem(key: 'size2D' | 'size3D', size: readonly number[] | undefined): ConfigProblem[] {
  if (size === undefined) return [];
  const step = key === 'size2D' ? strides['2D'] : strides['3D'];
  const least = key === 'size2D' ? [smallestSide, smallestSide] : [strides['3D'][0], smallestSide, smallestSide];
  const valid = size.map((side, axis) => nearestMultiple(side, step[axis]!, least[axis]!));
  if (valid.every((side, axis) => side === size[axis])) return [];
  return [
    {
      path: ['model', key],
      message: `[${size.join(', ')}] does not fit the network: sides must be multiples of ${step.join(', ')} and at least ${least.join(', ')}`,
      remedy: `The closest size that fits is [${valid.join(', ')}].`,
    },
  ];
}

/** Values that are each valid but cannot be together. */
export function impossibleCombinations(config: PretrainGiven): ConfigProblem[] {
  const { data, model, train, engine } = config;
  const problems: ConfigProblem[] = [...sizeProblem('size2D', model.size2D), ...sizeProblem('size3D', model.size3D)];
  for (const key of ['area2D', 'crop3D'] as const) {
    const [least, most] = config.views[key];
    if (least > most)
      problems.push({
        path: ['views', key],
        message: `[${least}, ${most}] is not a range: the first value must not exceed the second`,
        remedy: `Write [${most}, ${least}].`,
      });
  }
  if (data.paths !== undefined && data.manifest !== undefined)
    problems.push({
      path: ['data', 'manifest'],
      message: '`paths` and `manifest` both name images',
      remedy: 'Remove one of them.',
    });
  if (data.paths === undefined && data.manifest === undefined)
    problems.push({
      path: ['data'],
      message: 'names no images',
      remedy: 'Add `"paths": "folder/with/images"`, or `manifest` with a file that lists the images.',
    });
  if (data.modalities === 'both' && train.epochs <= train.interval)
    problems.push({
      path: ['train', 'interval'],
      message: `the run has ${train.epochs} epochs and starts with ${train.interval} epochs of 2D, so it never reaches 3D, but data.modalities is "both"`,
      remedy:
        train.epochs > 1
          ? `Set train.interval to at most ${train.epochs - 1}, or train.epochs to at least ${train.interval * 2}.`
          : `Set train.epochs to at least ${train.interval * 2}.`,
    });
  const smallestBatch = Math.min(train.batch['2D'], train.batch['3D']) * train.accumulate;
  const peak = (train.lr * smallestBatch) / 256;
  if (train.finalLr > peak)
    problems.push({
      path: ['train', 'finalLr'],
      message: `${train.finalLr} is above the peak learning rate, which is lr × total batch / 256 = ${train.lr} × ${smallestBatch} / 256 = ${Number(peak.toPrecision(3))}`,
      remedy: 'Lower train.finalLr, or raise train.lr.',
    });
  if (engine.device === 'cpu' && engine.gpu !== null)
    problems.push({
      path: ['engine', 'gpu'],
      message: `selects GPU ${engine.gpu}, but engine.device is "cpu"`,
      remedy: 'Set engine.device to "cuda", or remove engine.gpu.',
    });
  const { start, warmupEpochs } = train.teacherTemperature;
  if ((start === null) !== (warmupEpochs === 0))
    problems.push({
      path: ['train', 'teacherTemperature', start === null ? 'warmupEpochs' : 'start'],
      message: 'a temperature warm-up needs both `start` and `warmupEpochs`',
      remedy:
        start === null ? 'Add `start`, or set `warmupEpochs` to 0.' : 'Add `warmupEpochs` above 0, or remove `start`.',
    });
  return problems;
}
