import { type Modality, modalities } from '../modality.ts';
import type { TaskName } from '../task.ts';
import type { StepRecord } from './records.ts';

/**
 * The catalogue of numbers. It names, explains and places, once, each number that a run records per step or epoch. Columns and
 * CSV, the tables of the terminal, TensorBoard, page and panel read it. Numbers that are not listed are recorded and shown too,
 * under a heading made from their key.
 */

/** Groups of curves on the page (webviews/metrics/catalog.ts). */
export type PanelId = 'loss' | 'validation' | 'collapse' | 'optimiser' | 'speed' | 'other';

/** A value beyond which a number says that something is wrong with a run. */
export interface Limit {
  readonly value: number;
  /** The side on which something is wrong. */
  readonly wrong: 'above' | 'below';
  /** What is wrong there, in a few words that fit on the line of a curve. */
  readonly label: string;
}

/** A number of every step, or of every epoch. */
export interface Series {
  /**
   * Its key in the record's `values`, or its field (`ownFields`); also the name of its CSV column. A key that ends with `*` is a
   * family: `dice/*` stands for `dice/liver` and all other keys with that prefix. The rest of the key is the title of a member.
   */
  readonly key: string;
  readonly of: 'step' | 'epoch';
  readonly title: string;
  readonly unit: string;
  readonly panel: PanelId;
  /** What the curve shows, in a sentence or two. */
  readonly help: string;
  /** Significant digits on the page. Default 4. */
  readonly digits?: number;
  /** Whether the page may smooth it. Default: true. Series of epochs are never smoothed. */
  readonly smooth?: boolean;
  /** Values that its axis always shows. */
  readonly include?: readonly number[];
  readonly better?: 'lower' | 'higher';
  /** Whether its level depends on the modality, so that 2D and 3D are curves of their own. Default: they are one curve. */
  readonly byModality?: boolean;
  /** Number of terms that it sums, by modality: divided by it, 2D and 3D can be compared. */
  readonly terms?: Readonly<Record<Modality, number>>;
  /** Its limits in this run. They depend on the configuration, so that only the catalogue of a run has them. */
  readonly limits?: readonly Limit[];
  /** Whether the verdict on a run names its best value (protocol/metrics/verdict.ts). The first recorded one counts. */
  readonly judged?: boolean;
  /** Whether the records have its 95 % interval over patients. */
  readonly interval?: boolean;
  /** Title of the chart that shows all members of the family. Absent: each has only its own. */
  readonly together?: string;
  /** Whether the page repeats it at the top, with 2D and 3D in one chart. */
  readonly overview?: boolean;
  /** Its column in the terminal's tables; 'e': in powers of ten. Absent: no column. */
  readonly inTerminal?: { readonly heading: string; readonly decimals: number | 'e' };
  /** Decimals in the progress line. Absent: the line does not show it. */
  readonly inProgress?: number;
  /** Its tag in TensorBoard, unless that is `<key>/<group>` (steps) or `epoch/<key>/<group>`. `{group}` stands for the group. */
  readonly tag?: string;
}

/** The fields of a record that are series; all other series are in its `values`. */
export const ownFields = { step: ['loss', 'stepMs', 'waitMs', 'rssMiB'], epoch: ['loss', 'seconds'] } as const;

/** The terms of the pre-training loss, student – teacher: L(S(x), T(x)); and the four of a 3D step in the order of the method. */
export const lossTerms = {
  '2D': ['image-image'],
  '3D': ['volume-volume', 'slices-volume', 'slices-slices', 'volume-slices'],
} as const;

const term = (key: (typeof lossTerms)['3D'][number], title: string, student: string, teacher: string): Series => ({
  ...{ key: `term/${key}`, of: 'step', title, unit: 'nats', panel: 'loss', tag: `terms/${key}` },
  help: `The student sees ${student} and predicts the output of the teacher, which sees ${teacher}.`,
});

/** Every kind of run records these for its steps. */
const speedOfSteps: readonly Series[] = [
  {
    ...{ key: 'imagesPerSecond', of: 'step', title: 'Throughput', unit: 'images/s', panel: 'speed', include: [0] },
    byModality: true,
    help: 'Images (2D) or volumes (3D) per second.',
    ...{ better: 'higher', inTerminal: { heading: 'images/s', decimals: 2 }, inProgress: 1 },
    tag: 'speed/imagesPerSecond/{group}',
  },
  {
    ...{ key: 'stepMs', of: 'step', title: 'Step', unit: 'ms', panel: 'speed', include: [0], better: 'lower' },
    byModality: true,
    help: 'Duration of a whole step.',
    ...{ inTerminal: { heading: 'step ms', decimals: 0 }, tag: 'speed/stepMs/{group}' },
  },
  {
    ...{ key: 'waitMs', of: 'step', title: 'Waiting for data', unit: 'ms per step', panel: 'speed', include: [0] },
    ...{ byModality: true, overview: true },
    help: 'Time a step waited for its images. If it exceeds a few per cent of the step, raise data.workers.',
    ...{ better: 'lower', inTerminal: { heading: 'wait ms', decimals: 1 }, tag: 'speed/waitMs/{group}' },
  },
  {
    ...{ key: 'rssMiB', of: 'step', title: 'Memory', unit: 'MiB', panel: 'speed', smooth: false, include: [0] },
    help: 'Resident memory of the trainer.',
    ...{ inTerminal: { heading: 'MiB', decimals: 0 }, tag: 'memory/rssMiB' },
  },
];

/** What `probe` measures, of pictures and of volumes. */
const probed: readonly Series[] = modalities.flatMap((modality) => [
  {
    ...({ key: `knn/${modality}`, of: 'epoch', title: `k-NN · ${modality}`, unit: '', panel: 'validation' } as const),
    ...({ include: [0, 1], better: 'higher', tag: `probe/knn/${modality}` } as const),
    help: 'Share of the labelled images of `probe` that their nearest neighbours among the others classify correctly, by features of the teacher.',
  },
  {
    ...({ key: `linearProbe/${modality}`, of: 'epoch', title: `Linear probe · ${modality}` } as const),
    ...({ unit: '', panel: 'validation', include: [0, 1], better: 'higher' } as const),
    help: 'Share of the labelled images of `probe` that a linear classifier, fitted to the others, classifies correctly, by features of the teacher.',
    tag: `probe/linear/${modality}`,
  },
]);

const pretrain: readonly Series[] = [
  {
    ...{ key: 'loss', of: 'step', title: 'Loss', unit: 'nats', panel: 'loss', better: 'lower' },
    ...{ byModality: true, terms: { '2D': lossTerms['2D'].length, '3D': lossTerms['3D'].length }, overview: true },
    help: 'Cross-entropy between teacher and student. A 2D step has one term and a 3D step four, so the levels differ.',
    inTerminal: { heading: 'loss', decimals: 4 },
  },
  term('volume-volume', 'Volume → volume', 'volumes', 'volumes'),
  term('slices-volume', 'Slices → volume', 'slices', 'volumes'),
  term('slices-slices', 'Slices → slices', 'slices', 'slices'),
  term('volume-slices', 'Volume → slices', 'volumes', 'slices'),
  {
    ...{
      key: 'term/koleo',
      of: 'step',
      title: 'KoLeo',
      unit: 'nats',
      panel: 'loss',
      better: 'lower',
      byModality: true,
    },
    help: 'Minus the logarithm of the distance to the nearest other image of the batch, summed over views and outputs. The loss does not contain it.',
    tag: 'terms/koleo/{group}',
  },
  {
    ...{ key: 'gradientNorm', of: 'step', title: 'Gradient norm', unit: '', panel: 'optimiser', include: [0] },
    byModality: true,
    help: 'Norm of all gradients together, before clipping.',
    inTerminal: { heading: 'gradient', decimals: 3 },
  },
  {
    ...{ key: 'learningRate', of: 'step', title: 'Learning rate', unit: '', panel: 'optimiser', smooth: false },
    help: 'Linear warm-up, then a cosine schedule.',
    ...{ include: [0], inTerminal: { heading: 'rate', decimals: 'e' }, tag: 'schedule/learningRate' },
  },
  {
    ...{ key: 'weightDecay', of: 'step', title: 'Weight decay', unit: '', panel: 'optimiser', smooth: false },
    help: 'Rises on a cosine schedule.',
    tag: 'schedule/weightDecay',
  },
  {
    ...{ key: 'momentum', of: 'step', title: 'Teacher momentum', unit: '', panel: 'optimiser', smooth: false },
    help: 'Fraction of the teacher that each step keeps. The rest comes from the student.',
    ...{ digits: 6, tag: 'schedule/momentum' },
  },
  ...speedOfSteps,
  {
    ...{ key: 'loss', of: 'epoch', title: 'Mean loss', unit: 'nats', panel: 'loss', better: 'lower' },
    ...{ byModality: true, judged: true },
    help: 'Mean over the steps of an epoch.',
    inTerminal: { heading: 'loss', decimals: 4 },
  },
  {
    ...{ key: 'seconds', of: 'epoch', title: 'Epoch', unit: 's', panel: 'speed', include: [0], better: 'lower' },
    byModality: true,
    help: 'Duration of a whole epoch.',
  },
  {
    ...{ key: 'teacherEntropy', of: 'epoch', title: 'Teacher entropy', unit: 'nats', panel: 'collapse', include: [0] },
    byModality: true,
    help: "Mean entropy of the teacher's output. Near 0, one output dominates. Near the logarithm of the number of outputs, the output is uniform.",
    ...{ inTerminal: { heading: 'teacher entropy', decimals: 3 }, tag: 'collapse/teacherEntropy/{group}' },
  },
  {
    ...{ key: 'klToUniform', of: 'epoch', title: 'KL to uniform', unit: 'nats', panel: 'collapse', include: [0] },
    byModality: true,
    help: "Divergence of the teacher's mean output from the uniform distribution.",
    ...{ inTerminal: { heading: 'KL to uniform', decimals: 3 }, tag: 'collapse/klToUniform/{group}' },
  },
  {
    ...{ key: 'featureStd', of: 'epoch', title: 'Feature deviation', unit: '', panel: 'collapse', include: [0] },
    byModality: true,
    help: 'Standard deviation of the normalised features, averaged over dimensions. Near 0, all images look the same to the network.',
    ...{ inTerminal: { heading: 'feature std', decimals: 4 }, tag: 'collapse/featureStd/{group}' },
  },
  {
    ...{ key: 'effectiveRank', of: 'epoch', title: 'Effective rank', unit: 'dimensions', panel: 'collapse' },
    ...{ byModality: true, overview: true },
    help: 'Number of dimensions that the features effectively use.',
    ...{ include: [0], better: 'higher', inTerminal: { heading: 'effective rank', decimals: 2 } },
    tag: 'collapse/effectiveRank/{group}',
  },
  ...(
    [
      [
        'teacherEntropy/*',
        'Teacher entropy',
        'nats',
        "Entropy of the teacher's output for volumes or for their slices.",
      ],
      [
        'klToUniform/*',
        'KL to uniform',
        'nats',
        "Divergence of the teacher's mean output for volumes or for their slices.",
      ],
      ['featureStd/*', 'Feature deviation', '', 'Standard deviation of the features of volumes or of their slices.'],
      [
        'effectiveRank/*',
        'Effective rank',
        'dimensions',
        'Dimensions that the features of volumes or of their slices use.',
      ],
    ] as const
  ).map(
    ([key, title, unit, help]): Series => ({
      ...{ key, of: 'epoch', title, unit, panel: 'collapse', help },
      include: [0],
    }),
  ),
  ...probed,
];

const validated = (
  key: string,
  title: string,
  help: string,
  more: Partial<Series> = { include: [0, 1], better: 'higher' },
): Series => ({ key, of: 'epoch', title, unit: '', panel: 'validation', help, tag: `validation/${key}`, ...more });
/** Said of series with `interval`. */
const shaded = ' Shade: 95 % interval over patients.';
const column = (heading: string) => ({ inTerminal: { heading, decimals: 4 } });

const finetune: readonly Series[] = [
  {
    ...{ key: 'loss', of: 'step', title: 'Loss', unit: 'nats', panel: 'loss', better: 'lower' },
    overview: true,
    help: 'Segmentation: Dice loss and cross-entropy, summed over the resolutions. Classification: cross-entropy.',
    inTerminal: { heading: 'loss', decimals: 4 },
  },
  {
    ...{ key: 'term/*', of: 'step', title: 'Part of the loss', unit: 'nats', panel: 'loss' },
    help: 'One part of the loss, before it is weighted.',
  },
  {
    ...{ key: 'gradientNorm', of: 'step', title: 'Gradient norm', unit: '', panel: 'optimiser', include: [0] },
    help: 'Norm of all gradients together, before clipping.',
    inTerminal: { heading: 'gradient', decimals: 3 },
  },
  {
    ...{ key: 'learningRate', of: 'step', title: 'Learning rate', unit: '', panel: 'optimiser', smooth: false },
    help: 'Rate of the decoder and head. With layer decay, lower layers of the encoder have lower rates.',
    ...{ include: [0], inTerminal: { heading: 'rate', decimals: 'e' }, tag: 'schedule/learningRate' },
  },
  ...speedOfSteps,
  {
    ...{ key: 'loss', of: 'epoch', title: 'Mean loss', unit: 'nats', panel: 'loss', better: 'lower' },
    help: 'Mean over the steps of an epoch.',
    inTerminal: { heading: 'loss', decimals: 4 },
  },
  {
    ...{ key: 'seconds', of: 'epoch', title: 'Epoch', unit: 's', panel: 'speed', include: [0], better: 'lower' },
    help: 'Duration of the steps of an epoch.',
  },
  validated('validationLoss', 'Validation loss', 'Loss on the cases for validation, without augmentation.', {
    ...{ unit: 'nats', better: 'lower', ...column('validation loss') },
  }),
  validated(
    'dice',
    'Mean Dice',
    `Mean over the classes that occur in the cases for validation or are predicted there.${shaded}`,
    {
      ...{ include: [0, 1], better: 'higher', judged: true, overview: true, interval: true, ...column('Dice') },
    },
  ),
  validated('dice/*', 'Dice', `Dice of one class, pooled over all voxels of the cases for validation.${shaded}`, {
    ...{ include: [0, 1], better: 'higher', interval: true, together: 'Dice of all classes' },
  }),
  validated('auc', 'AUC', `Area under the ROC curve; with several classes the mean of one against the rest.${shaded}`, {
    ...{ include: [0.5, 1], better: 'higher', judged: true, overview: true, interval: true, ...column('AUC') },
  }),
  validated('auc/*', 'AUC', `Area under the ROC curve of one class against the rest.${shaded}`, {
    ...{ include: [0.5, 1], better: 'higher', interval: true, together: 'AUC of all classes' },
  }),
  validated('accuracy', 'Accuracy', `Share of the cases for validation that are classified correctly.${shaded}`, {
    ...{ include: [0, 1], better: 'higher', interval: true, ...column('accuracy') },
  }),
];

/** The family of an unlisted number, and the rest of its key. */
export function familyOf<S extends Pick<Series, 'key' | 'of'>>(
  key: string,
  of: Series['of'],
  catalogue: readonly S[],
): { family: S; name: string } | undefined {
  const family = catalogue.find(
    (one) => one.of === of && one.key.endsWith('*') && key.startsWith(one.key.slice(0, -1)),
  );
  return family && { family, name: key.slice(family.key.length - 1) };
}

/** The catalogue of each kind of run, in the order in which series are shown. */
export const seriesOf = { pretrain, finetune } as const satisfies Readonly<Record<TaskName, readonly Series[]>>;

/** The values of a step that the progress line shows. */
export function progressValues(values: StepRecord['values'], catalogue: readonly Series[]): StepRecord['values'] {
  const shown = catalogue.filter(({ of, inProgress }) => of === 'step' && inProgress !== undefined);
  return Object.fromEntries(shown.flatMap(({ key }) => (values[key] === undefined ? [] : [[key, values[key]]])));
}
