import type { Finding, LabelledDataset } from '../types.ts';
import type { Fingerprint } from './fingerprint.ts';
import type { DataPlan } from './planFor.ts';
import { describeData, hoursText, sizeText } from './words.ts';

export interface RenderOptions {
  readonly dataset: LabelledDataset;
  readonly fingerprint: Fingerprint;
  readonly plan: DataPlan;
  readonly folds: number;
  readonly seed: number;
  /** Of files with several volumes. */
  readonly volume?: number;
  readonly device?: 'cpu' | 'cuda';
  readonly findings?: readonly Finding[];
  /** Fields of `train` that a preset sets, beside those that the plan knows. */
  readonly train?: Readonly<Record<string, unknown>>;
  /** Lines about the preset. */
  readonly preset?: readonly string[];
}

/** The plan as a configuration of a fine-tuning run, with comments that say where each value comes from. */
export function renderPlan(options: RenderOptions): string {
  const {
    dataset,
    fingerprint,
    plan,
    folds,
    seed,
    volume,
    device = 'cpu',
    findings = [],
    train = {},
    preset = [],
  } = options;
  const { problem, modality, exclusive } = fingerprint;
  const { estimate } = plan;
  const volumes = modality === '3D';
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  const time =
    estimate.hours === null || estimate.secondsPerStep === null
      ? 'How long it takes on a GPU is not known before it runs.'
      : `Estimated: ${hoursText(estimate.hours)} (about ${+estimate.secondsPerStep.toPrecision(2)} s a step; the first steps tell more).`;
  const fields = Object.entries(train).map(([key, value]) => `    ${json(key)}: ${json(value)},`);
  const lines = [
    `// ${describeData(dataset, fingerprint)}`,
    ...(errors > 0
      ? [
          `// ${errors} problem${errors === 1 ? '' : 's'} of this data set must be solved first: run "unimiss plan" again.`,
        ]
      : []),
    ...preset.map((line) => `// ${line}`),
    '// Written by "unimiss plan". Everything may be changed; docs/configuration.md has all fields.',
    '{',
    '  "task": "finetune",',
    `  "name": ${json(runName(dataset.name))},`,
    `  "problem": ${json(problem)},`,
    `  "modality": ${json(modality)},`,
    `  // ${exclusive ? 'exclusive: one class a voxel or image' : 'overlapping: a voxel or image may have several labels'}: ${labelNames(dataset)}`,
    `  "labels": ${json(exclusive ? 'exclusive' : 'overlapping')},`,
    '  "data": {',
    `    "path": ${json(dataset.path)},`,
    `    "layout": ${json(dataset.layout)},`,
    ...(volume === undefined ? [] : ['    // Of files with several volumes (4-D).', `    "volume": ${volume},`]),
    '    // Folds are divided by patient. Use the same seed for runs that you compare.',
    `    "folds": ${folds},`,
    '    "fold": 0,',
    `    "seed": ${seed}`,
    '  },',
    '  "plan": {',
    ...(volumes
      ? [`    // mm: [between slices, x, y]. ${spacingText(fingerprint)}`, `    "spacing": ${json(plan.spacing)},`]
      : []),
    `    // ${plan.fit === 'crop' ? 'Part of an image that the network sees at once' : 'Size that the whole image is brought to'}. Images: ${sizeText(fingerprint)}.`,
    `    "patch": ${json(plan.patch)},`,
    `    "fit": ${json(plan.fit)},`,
    '    "channels": [',
    ...plan.channels.map((channel, i) => `      ${json(channel)}${i < plan.channels.length - 1 ? ',' : ''}`),
    '    ]',
    '  },',
    '  "model": { "preset": "tiny" },',
    '  "start": {',
    '    // A pre-training run, a .safetensors or a .pth file. null: from scratch. Or: unimiss finetune FILE --from RUN',
    '    "from": null',
    '  },',
    '  "train": {',
    `    // ${time}`,
    `    "epochs": ${plan.epochs},`,
    `    "stepsPerEpoch": ${json(plan.stepsPerEpoch)},`,
    `    // About ${Math.round(estimate.memory / 2 ** 20)} MiB of memory.`,
    `    "batch": ${plan.batch},`,
    ...fields,
    '    "seed": 0',
    '  },',
    ...(plan.sided
      ? ['  // Left and right have labels of their own: images are not mirrored.', '  "augment": { "mirror": 0 },']
      : []),
    `  "engine": { "device": ${json(device)} }`,
    '}',
  ];
  return `${lines.join('\n')}\n`;
}

/** JSON on one line, with spaces between values. */
function json(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(json).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).map(([key, inner]) => `${JSON.stringify(key)}: ${json(inner)}`);
  return `{ ${fields.join(', ')} }`;
}

/** A name that a run may have. */
function runName(name: string): string {
  const allowed = name.replaceAll(/[^A-Za-z0-9._-]+/g, '-').replace(/^[^A-Za-z0-9]+/, '');
  return allowed.slice(0, 64) || 'finetune';
}

const listed = 8;

/** On one line, as it stands in a comment. */
function labelNames({ labels }: LabelledDataset): string {
  const names = labels.slice(0, listed).map(({ name }) => name);
  const more = labels.length > listed ? ` and ${labels.length - listed} more` : '';
  return `${names.join(', ')}${more}`.replaceAll(/\s+/g, ' ');
}

function spacingText({ spacing }: Fingerprint): string {
  if (!spacing) return 'The images do not say theirs.';
  const { min, median, max } = spacing;
  const text = (mm: readonly number[]) => mm.map((one) => +one.toPrecision(3)).join('×');
  return `The images have ${text(min)} to ${text(max)}, median ${text(median)}.`;
}
