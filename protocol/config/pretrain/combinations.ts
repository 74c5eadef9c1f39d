import { modalities } from '../../modality.ts';
import { deviceProblems } from '../deviceProblems.ts';
import type { ConfigProblem } from '../kind.ts';
import { sizeProblem, stagesProblem } from '../sizes.ts';
import { ofPhase } from './byPhase.ts';
import { presets } from './presets.ts';
import type { PretrainGiven } from './schema.ts';

/** Sizes of a view to which the reference pads volumes in plane: 256 for 96. */
const referencePadding = 256 / 96;

/** Values that are valid alone but not together. */
export function impossibleCombinations(config: PretrainGiven): ConfigProblem[] {
  const { data, model, train, engine } = config;
  const problems: ConfigProblem[] = [
    ...stagesProblem(model),
    ...sizeProblem(['model', 'size2D'], '2D', model.size2D),
    ...sizeProblem(['model', 'size3D'], '3D', model.size3D),
  ];
  for (const key of ['area2D', 'crop3D', 'parent3D'] as const) {
    const [least, most] = config.views[key];
    if (least > most)
      problems.push({
        path: ['views', key],
        message: `[${least}, ${most}] is not a range: the first value must not exceed the second`,
        remedy: `Write [${most}, ${least}].`,
        replacement: `[${most}, ${least}]`,
      });
  }
  const { crop3D, parent3D, pad3D } = config.views;
  if (crop3D[1] > parent3D[1])
    problems.push({
      path: ['views', 'crop3D'],
      message: `crops of up to ${crop3D[1]} do not fit into parent crops of up to ${parent3D[1]} sizes of a view`,
      remedy: 'Lower views.crop3D, or raise views.parent3D.',
    });
  if (parent3D[1] > (pad3D ?? referencePadding))
    problems.push({
      path: ['views', pad3D === null ? 'parent3D' : 'pad3D'],
      message: `parent crops of up to ${parent3D[1]} sizes of a view do not fit into volumes padded to ${Number((pad3D ?? referencePadding).toFixed(2))}`,
      remedy: `Set views.pad3D to at least ${parent3D[1]}.`,
    });
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
  const peaks = modalities.map((phase) => {
    const [lr, batch] = [ofPhase(train.lr, phase), train.batch[phase] * train.accumulate];
    return { lr, batch, peak: (lr * batch) / 256 };
  });
  const { lr, batch, peak } = peaks.reduce((least, next) => (next.peak < least.peak ? next : least));
  if (train.finalLr > peak)
    problems.push({
      path: ['train', 'finalLr'],
      message: `${train.finalLr} is above the peak learning rate, which is lr × total batch / 256 = ${lr} × ${batch} / 256 = ${Number(peak.toPrecision(3))}`,
      remedy: 'Lower train.finalLr, or raise train.lr.',
    });
  if (train.koleo > 0 && (train.accumulate > 1 || Math.min(train.batch['2D'], train.batch['3D']) < 2))
    problems.push({
      path: ['train', 'koleo'],
      message: 'KoLeo spreads the images of a whole batch, so it needs at least 2 images at once',
      remedy: 'Set train.accumulate to 1 and train.batch to at least 2, or train.koleo to 0.',
    });
  const slices = model.size3D?.[0] ?? presets[model.preset].size3D[0];
  if (slices % train.sliceStride !== 0)
    problems.push({
      path: ['train', 'sliceStride'],
      message: `a stride of ${train.sliceStride} does not divide ${slices} slices`,
      remedy: `Choose a divisor of ${slices}.`,
      replacement: String(divisorBelow(train.sliceStride, slices)),
    });
  problems.push(...deviceProblems(engine));
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

/** The largest divisor of `total` that is at most `most`. */
function divisorBelow(most: number, total: number): number {
  let divisor = Math.min(most, total);
  while (total % divisor !== 0) divisor--;
  return divisor;
}
