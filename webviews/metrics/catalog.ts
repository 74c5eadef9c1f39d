import { titleOf } from './format.ts';

/** Series that need more digits than others to be told apart. */
const digits: Record<string, number> = { momentum: 6 };
const usualDigits = 4;

/** A series as it is shown: its heading, unit and group. */
export interface SeriesInfo {
  key: string;
  title: string;
  unit: string;
  group: GroupId;
  /** What the curve tells, in a sentence: the heading's tooltip. */
  help: string;
  table: 'steps' | 'epochs';
  /** Values that the axis always shows. */
  include?: number[];
}

export const groups = [
  { id: 'loss', title: 'Loss' },
  { id: 'collapse', title: 'Signs of collapse' },
  { id: 'optimiser', title: 'Optimiser' },
  { id: 'speed', title: 'Speed and memory' },
  { id: 'other', title: 'Other' },
] as const;
export type GroupId = (typeof groups)[number]['id'];

type Known = [key: string, title: string, unit: string, group: GroupId, help: string, include?: number[]];
const steps: Known[] = [
  [
    'loss',
    'Loss',
    'nats',
    'loss',
    'Cross-entropy between teacher and student. A 2D step has one term, a 3D step four: levels differ by phase.',
  ],
  [
    'term/volume-volume',
    'Volume → volume',
    'nats',
    'loss',
    'The student, seeing volumes, predicts the teacher, seeing volumes.',
  ],
  [
    'term/slices-volume',
    'Slices → volume',
    'nats',
    'loss',
    'The student, seeing slices, predicts the teacher, seeing volumes.',
  ],
  [
    'term/slices-slices',
    'Slices → slices',
    'nats',
    'loss',
    'The student, seeing slices, predicts the teacher, seeing slices.',
  ],
  [
    'term/volume-slices',
    'Volume → slices',
    'nats',
    'loss',
    'The student, seeing volumes, predicts the teacher, seeing slices.',
  ],
  ['gradientNorm', 'Gradient norm', '', 'optimiser', 'Norm of all gradients together, before each is clipped.', [0]],
  ['learningRate', 'Learning rate', '', 'optimiser', 'Linear warm-up, then a cosine.', [0]],
  ['weightDecay', 'Weight decay', '', 'optimiser', 'Rises along a cosine.'],
  [
    'momentum',
    'Teacher momentum',
    '',
    'optimiser',
    'Share of the teacher that each step keeps; the rest comes from the student.',
  ],
  ['imagesPerSecond', 'Throughput', 'images/s', 'speed', 'Images (2D) or volumes (3D) a second.', [0]],
  ['stepMs', 'Step', 'ms', 'speed', 'Time of a whole step.', [0]],
  [
    'waitMs',
    'Waiting for data',
    'ms a step',
    'speed',
    'Time that a step waited for its images. More than a few per cent of the step: add loader workers.',
    [0],
  ],
  ['rssMiB', 'Memory', 'MiB', 'speed', "The trainer's resident memory.", [0]],
];
const epochs: Known[] = [
  ['loss', 'Mean loss', 'nats', 'loss', 'Mean over the steps of an epoch.'],
  ['seconds', 'Epoch', 's', 'speed', 'Time of a whole epoch.', [0]],
  [
    'teacherEntropy',
    'Teacher entropy',
    'nats',
    'collapse',
    "Mean entropy of the teacher's output. Falling to 0: one output wins; at the logarithm of the outputs: uniform.",
    [0],
  ],
  [
    'klToUniform',
    'KL to uniform',
    'nats',
    'collapse',
    "Divergence of the teacher's mean output from the uniform distribution.",
    [0],
  ],
  [
    'featureStd',
    'Feature deviation',
    '',
    'collapse',
    'Standard deviation of the normalised features, mean over dimensions. Near 0: all images look alike to the network.',
    [0],
  ],
  [
    'effectiveRank',
    'Effective rank',
    'dimensions',
    'collapse',
    'Number of dimensions that the features really use.',
    [0],
  ],
];
const known = new Map<string, SeriesInfo>(
  [...steps.map((s) => ['steps', s] as const), ...epochs.map((s) => ['epochs', s] as const)].map(
    ([table, [key, title, unit, group, help, include]]) => [
      `${table}:${key}`,
      { key, title, unit, group, help, table, include },
    ],
  ),
);

/** How a series of a table is shown; terms of the loss and unknown ones get a heading made from their key. */
export function seriesInfo(table: 'steps' | 'epochs', key: string): SeriesInfo {
  const found = known.get(`${table}:${key}`);
  if (found) return found;
  const term = key.startsWith('term/');
  return {
    key,
    title: titleOf(key),
    unit: term ? 'nats' : '',
    group: term ? 'loss' : 'other',
    help: term ? 'A term of the loss.' : `Recorded as ${key}.`,
    table,
  };
}

/** Orders series as the catalogue has them; unknown ones follow in the order of their keys. */
export function compareSeries(a: SeriesInfo, b: SeriesInfo): number {
  const order = [...known.keys()];
  const place = (s: SeriesInfo) => {
    const i = order.indexOf(`${s.table}:${s.key}`);
    return i < 0 ? order.length : i;
  };
  return place(a) - place(b) || a.key.localeCompare(b.key);
}

/** Schedules and memory have no noise that an average could take away. */
const exact = new Set(['learningRate', 'weightDecay', 'momentum', 'rssMiB']);

/** Whether the moving average applies to a series. */
export function isSmoothed(info: SeriesInfo): boolean {
  return info.table === 'steps' && !exact.has(info.key);
}

/** Significant digits in which values of a series are shown. */
export function digitsOf(key: string): number {
  return digits[key] ?? usualDigits;
}
