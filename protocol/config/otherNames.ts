import { plain } from './nearest.ts';

/**
 * Names that other programs have for our fields and values. A word that looks like one of ours may mean another: "gpu" is not a
 * misspelt "cpu". Words are compared without case, `_` and `-`.
 */

/** Our fields; the first that the kind of run has is meant. */
const fields: Readonly<Record<string, readonly string[]>> = {
  learningrate: ['train.lr'],
  baselr: ['train.lr'],
  minlr: ['train.finalLr'],
  batchsize: ['train.batch'],
  numepochs: ['train.epochs'],
  maxepochs: ['train.epochs'],
  warmup: ['train.warmupEpochs'],
  gradientaccumulation: ['train.accumulate'],
  gradaccum: ['train.accumulate'],
  wd: ['train.weightDecay'],
  clipgrad: ['train.clipGradient'],
  pretrained: ['start.from', 'train.initialWeights'],
  weights: ['start.from', 'train.initialWeights'],
  numworkers: ['data.workers'],
  path: ['data.paths', 'data.path'],
  paths: ['data.path'],
  folder: ['data.paths', 'data.path'],
  folders: ['data.paths'],
  dataset: ['data.path', 'data.paths'],
  backbone: ['model.preset'],
  arch: ['model.preset'],
  architecture: ['model.preset'],
  gpuid: ['engine.gpu'],
  threads: ['engine.intraOpThreads'],
};

/** Wishes for which there is no field. */
const elsewhere: Readonly<Record<string, string>> = {
  optimizer: 'The optimiser of pre-training is AdamW. Remove the key.',
  optimiser: 'The optimiser of pre-training is AdamW. Remove the key.',
  loss: 'The loss follows from the kind of run. Remove the key.',
  output: 'Choose the folder of runs with --runs or UNIMISS_RUNS. Remove the key.',
  outdir: 'Choose the folder of runs with --runs or UNIMISS_RUNS. Remove the key.',
  outputdir: 'Choose the folder of runs with --runs or UNIMISS_RUNS. Remove the key.',
  savedir: 'Choose the folder of runs with --runs or UNIMISS_RUNS. Remove the key.',
};

/** Words for our values; null: we have none, and a word that looks like it means another thing. */
const values: Readonly<Record<string, string | null>> = {
  gpu: 'cuda',
  nvidia: 'cuda',
  processor: 'cpu',
  rocm: 'pjrt:rocm',
  amd: 'pjrt:rocm',
  mps: 'pjrt:metal',
  metal: 'pjrt:metal',
  xpu: 'pjrt:oneapi',
  oneapi: 'pjrt:oneapi',
  tpu: null,
  npu: null,
  ipu: null,
  hpu: null,
  sgdm: 'sgd',
  adam: 'adamW',
};

/** What to write in place of a key with another program's name; undefined for other words. @param known all fields of the kind */
export function otherNameRemedy(key: string, known: readonly string[]): string | undefined {
  const field = fields[plain(key)]?.find((one) => known.includes(one));
  if (field !== undefined) return `Did you mean "${field}"?`;
  return elsewhere[plain(key)];
}

/** Our word for a value, if it is among the valid ones; null: none of them is meant, whatever it looks like. */
export function otherValueName(value: string, valid: readonly string[]): string | null | undefined {
  const meant = values[plain(value)];
  return meant === null || (meant !== undefined && valid.includes(meant)) ? meant : undefined;
}
