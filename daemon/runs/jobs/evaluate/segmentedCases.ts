import { UnimissError } from '../../../../protocol/errors.ts';
import type { LabelledPlane } from '../../../../protocol/evaluation/plane.ts';
import { prepareImage } from '../../../data/prepared/prepareImage.ts';
import { readCase, type StoredCase } from '../../../data/prepared/readCase.ts';
import { ignoredLabel } from '../../../data/prepared/types.ts';
import { evaluateSegmentation, type SegmentationCaseInput } from '../../../evaluate/metrics/evaluateSegmentation.ts';
import { planePicture, worstAndBest } from '../../../evaluate/report/evaluation/planePicture.ts';
import { type SegmentTask, segment, settingsOf } from '../predict/labelImage.ts';
import type { OpenNetwork } from '../predict/network.ts';
import { type Case, type Evaluated, type EvaluatedOn, excludingBroken } from './evaluated.ts';
import { LargestComponentTrial } from './largestComponentTrial.ts';
import type { SplitCases } from './splitCases.ts';

/** Pictures of the worst and of the best cases each. */
const pictured = 3;

/** Measures the labels that a network gives to the cases of a split, each in the grid of its image. */
export async function segmentedCases({
  leakage,
  network,
  opened,
  task,
  options,
  exclusions,
  onProgress,
}: EvaluatedOn): Promise<Evaluated> {
  const { plan } = network;
  const { cases } = opened;
  const exclusive = plan.labels === 'exclusive';
  // Class numbers are positions in the plan: 0 is the background of exclusive labels.
  const classes = plan.classes.map(({ name }, k) => ({ name, values: [exclusive ? k : 1] })).slice(exclusive ? 1 : 0);
  // Validation shows the labels as the network gives them, and of which classes only the largest component should stay.
  const trial =
    opened.split === 'validation'
      ? new LargestComponentTrial(
          plan.classes.map(({ name }) => name),
          exclusive,
        )
      : undefined;
  const pictures = new Map<string, LabelledPlane>();
  async function* labelled(): AsyncGenerator<SegmentationCaseInput> {
    for (const [i, one] of cases.entries()) {
      onProgress(one.id, i, cases.length);
      const done = await excludingBroken(one, exclusions, () =>
        labelsOf(network, opened, one, { ...task, raw: trial !== undefined }),
      );
      if (!done) continue;
      const { stored, reference, prediction } = done;
      leakage.see(one.id, stored);
      trial?.see({ size: stored.size, reference, prediction });
      const spacing = stored.spacing ?? [1, 1, 1];
      pictures.set(
        one.id,
        planePicture({
          ...{ title: one.id, shape: stored.size, spacing, image: stored.channels[0] ?? [] },
          ...{
            reference: reference.subarray(0, voxelsOf(stored)),
            prediction: prediction.subarray(0, voxelsOf(stored)),
          },
          ignore: ignoredLabel,
        }),
      );
      yield {
        ...{ id: one.id, patient: one.patient, ...gridOf(stored) },
        labels: { kind: exclusive ? 'map' : 'masks', reference, prediction, ignore: ignoredLabel },
      };
    }
  }
  const { toleranceMm, convention } = task;
  const evaluation = await evaluateSegmentation(labelled(), { ...options, classes, toleranceMm, convention });
  onProgress('Report', cases.length, cases.length);
  const { worst, best } = worstAndBest(evaluation, pictured);
  const planes = [...worst, ...best].flatMap((id) => pictures.get(id) ?? []);
  return { evaluation, planes, ...(trial && { largestComponent: trial.classes }) };
}

/** Reference and prediction of a case in its own grid, by class numbers: one map, or a map a class. */
async function labelsOf(
  network: OpenNetwork,
  { dataset: { labels, exclusive, ignore } }: SplitCases,
  { id, channels: images, ...rest }: Case,
  task: SegmentTask,
): Promise<{ stored: StoredCase; reference: Uint8Array; prediction: Uint8Array }> {
  const from = 'label' in rest ? rest.label : null;
  if (!from) throw new UnimissError('internal', 'a case without labels', { place: id });
  const settings = settingsOf(network);
  const classes = labels.map(({ values }) => values);
  const stored = await readCase({ id, images, labels: { overlapping: !exclusive, classes, ignore, from } }, settings);
  const { labels: known, ...image } = stored;
  if (!known) throw new UnimissError('internal', 'a case whose labels were not read', { place: id });
  const maps = await segment(network, prepareImage(image, settings, images[0] ?? id), stored.size, task);
  const prediction = new Uint8Array(maps.length * voxelsOf(stored));
  for (const [k, map] of maps.entries()) prediction.set(map, k * voxelsOf(stored));
  return { stored, reference: known.data, prediction };
}

/** A picture has two axes, and distances in pixels. */
function gridOf({ size, spacing }: StoredCase) {
  const [, ...plane] = size;
  return spacing
    ? { shape: size, spacing }
    : size[0] === 1
      ? { shape: plane, spacing: [1, 1] }
      : { shape: size, spacing: [1, 1, 1] };
}

function voxelsOf({ size }: StoredCase): number {
  return size[0] * size[1] * size[2];
}
