import { UnimissError } from '../../../protocol/errors.ts';
import type { TensorInfo } from '../../checkpoint/safetensorsHeader.ts';
import { floatingTypes, readFloating, type TensorFile } from '../../checkpoint/tensorFile.ts';
import { cells } from '../../model/geometry.ts';
import type { ParameterSpec } from '../../model/parameters.ts';
import { resizePerAxis, stemFor, zoomRows } from './adaptValues.ts';
import type { FirstValues } from './firstValues.ts';
import { type FoundPositions, type GridChoices, type PositionGrid, positionGrids } from './positionGrids.ts';

/** A parameter of any network: those of a downstream network also have the name of pre-training's (null: they have none). */
export type TargetSpec = ParameterSpec & { readonly pretrained?: string | null };

export interface WeightsOptions extends GridChoices {
  /** Which network of a checkpoint to take; if it has only the other, that one. Default: student. */
  readonly network?: 'student' | 'teacher';
  /** Parameters that must be there in their own shape, or (positions) in one that can be resized. Default: none. */
  readonly required?: (spec: TargetSpec) => boolean;
  /** Smallest share of the encoder's parameters that must be taken or resized, 0–1. Default: 0. */
  readonly minimumShare?: number;
  /** How positions are resized: along each axis, or the reference's way along the flattened tokens. Default: `perAxis`. */
  readonly positions?: 'perAxis' | 'reference';
  /** How a stem serves another number of channels. Default: `divided`. */
  readonly stem?: 'divided' | 'repeated';
}

/** What became of the parameters of a network, by their names, and which tensors of the file have no place in it. */
export interface WeightsReport {
  /** What stands before the names of the taken tensors, as `student.module.`. */
  readonly prefix: string;
  readonly taken: readonly string[];
  /** Position embeddings that were interpolated to another grid, and stems for another number of channels. */
  readonly resized: readonly {
    readonly name: string;
    readonly from: readonly number[];
    readonly to: readonly number[];
  }[];
  /** Left at their first values: the file lacks them, or has them in another shape. */
  readonly fresh: readonly string[];
  readonly unused: readonly string[];
  /** Share of the encoder's parameters (numbers, not tensors) that were taken or resized. */
  readonly encoderShare: number;
}

/** Where a parameter's first values come from. */
interface Source {
  readonly tensor: string;
  /** What the file has; absent: they are taken as they are. */
  readonly adapt?: { readonly positions: PositionGrid } | { readonly channels: number };
}

interface WeightsPlan {
  readonly sources: ReadonlyMap<string, Source>;
  readonly report: WeightsReport;
}

/**
 * Which of a network's parameters a file of weights has, without its values: a checkpoint of ours, the reference's weights (.pth or
 * safetensors; with or without `module.` and `backbone.`), or those of another downstream network.
 * @throws UnimissError 'checkpoint' naming the first required parameter that is missing or has another shape, or the share of the
 * encoder that the file has, if that is too little
 */
export function planWeights(file: TensorFile, specs: readonly TargetSpec[], options: WeightsOptions): WeightsPlan {
  const learning = specs.filter(({ learns }) => learns);
  const prefix = prefixOf(file, learning, options.network ?? 'student');
  const foundFor = (spec: TargetSpec): TensorInfo | undefined => {
    const tensors = namesOf(spec).flatMap((name) => file.tensors.get(prefix + name) ?? []);
    return tensors.find(({ dtype }) => floatingTypes.has(dtype));
  };
  const found = new Map(learning.flatMap((spec) => [[spec.name, foundFor(spec)]]));
  const grids = gridsIn(learning, found, options);
  const sources = new Map<string, Source>();
  const resized: { name: string; from: readonly number[]; to: readonly number[] }[] = [];
  for (const spec of learning) {
    const tensor = found.get(spec.name);
    const source = tensor && sourceOf(spec, tensor, grids.get(spec.name));
    if (source) sources.set(spec.name, source);
    else if (options.required?.(spec)) throw unfit(file, prefix, spec, tensor);
    if (tensor && source?.adapt) {
      const [from, to] =
        'positions' in source.adapt ? [source.adapt.positions.grid, spec.grid ?? []] : [tensor.shape, spec.shape];
      if (from.join() !== to.join() || options.positions === 'reference') resized.push({ name: spec.name, from, to });
    }
  }
  const used = new Set([...found.values()].map((tensor) => tensor?.name));
  // The magnitudes of the last layer do not learn, and are no surprise in a file.
  const ofNetwork = new Set(specs.flatMap((spec) => namesOf(spec).map((name) => prefix + name)));
  const changed = new Set(resized.map(({ name }) => name));
  const report: WeightsReport = {
    prefix,
    taken: [...sources.keys()].filter((name) => !changed.has(name)),
    resized,
    fresh: learning.filter(({ name }) => !sources.has(name)).map(({ name }) => name),
    unused: [...file.tensors.keys()].filter(
      (name) => name.startsWith(prefix) && !used.has(name) && !ofNetwork.has(name),
    ),
    encoderShare: encoderShare(learning, sources),
  };
  checkShare(file, report, options.minimumShare ?? 0);
  return { sources, report };
}

/**
 * First values of a network from a file of weights (see `planWeights`). What the file does not have comes from `fresh`.
 * @throws UnimissError 'checkpoint' as `planWeights`, or where the file's checksum is wrong
 */
export async function takeWeights(
  file: TensorFile,
  specs: readonly TargetSpec[],
  { fresh, ...options }: WeightsOptions & { fresh: FirstValues },
): Promise<{ first: FirstValues; report: WeightsReport }> {
  await file.verify({ optional: true });
  const { sources, report } = planWeights(file, specs, options);
  const values = new Map<string, Float32Array>();
  for (const [name, { tensor }] of sources) values.set(name, await readFloating(file, tensor));
  const first: FirstValues = (spec) => {
    const own = values.get(spec.name);
    if (!own) return fresh(spec);
    const adapt = sources.get(spec.name)?.adapt;
    if (!adapt) return own;
    const [out = 0, to = 0, channels = 0] = spec.shape;
    if ('channels' in adapt) return stemFor(own, { out, from: adapt.channels, to, way: options.stem ?? 'divided' });
    if (options.positions === 'reference') return zoomRows(own, to, channels);
    const { grid, modality } = specs.find(({ name }) => name === spec.name) ?? {};
    if (!grid || !modality) throw new UnimissError('internal', 'has no grid', { place: spec.name });
    return resizePerAxis(own, adapt.positions, { grid, modality, channels, fresh: () => fresh(spec) });
  };
  return { first, report };
}

/** Names of a parameter in files: pre-training's with and without `backbone.`, and its own. */
function namesOf({ name, pretrained }: TargetSpec): string[] {
  if (pretrained === undefined || pretrained === null) return [name];
  return [...new Set([pretrained, pretrained.replace(/^backbone\./, ''), name])];
}

/** What stands before the names: ours, the reference's data-parallel wrapper, and what training scripts write. */
function prefixOf(file: TensorFile, specs: readonly TargetSpec[], network: 'student' | 'teacher'): string {
  const other = network === 'student' ? 'teacher' : 'student';
  const roles = [network, 'network', 'model', 'state_dict', 'model_state_dict', '', other];
  const prefixes = roles.flatMap((role) => (role === '' ? ['module.', ''] : [`${role}.`, `${role}.module.`]));
  const names = specs.flatMap(namesOf);
  return prefixes.find((prefix) => names.some((name) => file.tensors.has(prefix + name))) ?? '';
}

/** The grids of the file's positions, if its network has as many axes: names alone do not tell pictures from volumes. */
function gridsIn(
  specs: readonly TargetSpec[],
  found: ReadonlyMap<string, TensorInfo | undefined>,
  options: GridChoices,
): Map<string, PositionGrid> {
  const otherAxes = new Set(
    specs.flatMap((spec) => {
      const tensor = found.get(spec.name);
      return isStem(spec) && tensor && tensor.shape.length !== spec.shape.length ? [spec.modality] : [];
    }),
  );
  const positions = specs.flatMap((spec): FoundPositions[] => {
    const { grid, modality } = spec;
    const tensor = found.get(spec.name);
    const [one, rows, channels] = tensor?.shape ?? [];
    if (!grid || !modality || otherAxes.has(modality) || one !== 1 || rows === undefined) return [];
    return channels === spec.shape[2] ? [{ spec: { ...spec, grid, modality }, rows }] : [];
  });
  return positionGrids(positions, options);
}

function sourceOf(spec: TargetSpec, tensor: TensorInfo, positions: PositionGrid | undefined): Source | undefined {
  const { shape } = tensor;
  const sameGrid = !positions || positions.grid.join() === spec.grid?.join();
  if (shape.join() === spec.shape.join() && sameGrid) return { tensor: tensor.name };
  if (spec.grid) return positions && { tensor: tensor.name, adapt: { positions } };
  const [, channels] = shape;
  const rest = ([first, , ...kernel]: readonly number[]) => [first, ...kernel].join();
  if (isStem(spec) && channels !== undefined && shape.length === spec.shape.length && rest(shape) === rest(spec.shape))
    return { tensor: tensor.name, adapt: { channels } };
  return undefined;
}

function isStem({ name, pretrained }: TargetSpec): boolean {
  return /^backbone\.transformer\.patch_embed[23]D0\.conv\.weight$/.test(pretrained ?? name);
}

function encoderShare(specs: readonly TargetSpec[], sources: ReadonlyMap<string, Source>): number {
  const encoder = specs.filter(({ name, pretrained }) => (pretrained ?? name).startsWith('backbone.transformer.'));
  const size = (some: readonly TargetSpec[]) => some.reduce((sum, { shape }) => sum + cells(shape), 0);
  return encoder.length === 0 ? 0 : size(encoder.filter(({ name }) => sources.has(name))) / size(encoder);
}

function checkShare(file: TensorFile, { encoderShare: share, fresh }: WeightsReport, minimum: number): void {
  if (share >= minimum) return;
  const names = fresh.slice(0, LISTED).join(', ');
  throw new UnimissError(
    'checkpoint',
    `provides ${percent(share)} of the encoder's parameters, but ${percent(minimum)} are required (missing: ${names}${fresh.length > LISTED ? ', …' : ''})`,
    {
      place: file.file,
      remedy: 'Use weights of the same model preset and modality, or lower start.minimumShare.',
    },
  );
}

function unfit(file: TensorFile, prefix: string, { name, shape }: TargetSpec, found?: TensorInfo): UnimissError {
  const what = found
    ? `"${prefix}${name}" is ${found.dtype} [${found.shape.join(', ')}], not F32 [${shape.join(', ')}]`
    : `has no parameter "${prefix}${name}"`;
  return new UnimissError('checkpoint', what, {
    place: file.file,
    remedy: 'The weights must come from the same model preset.',
  });
}

/** Names that a message lists. */
const LISTED = 4;

/** The report as a sentence. */
export function describeWeights(file: string, { taken, resized, fresh, unused }: WeightsReport): string {
  const list = (names: readonly string[]) =>
    names.length === 0 ? '' : ` (${names.slice(0, LISTED).join(', ')}${names.length > LISTED ? ', …' : ''})`;
  const sizes = resized.map(({ name, from, to }) => `${name}: ${from.join('×')} to ${to.join('×')}`);
  return (
    `Weights from ${file}: ${taken.length} parameters loaded, ${resized.length} resized${list(sizes)}, ` +
    `${fresh.length} newly initialised${list(fresh)}, ${unused.length} tensors of the file unused${list(unused)}`
  );
}

/** Rounded down, so that too little never reads as enough. */
function percent(share: number): string {
  return `${Math.floor(100 * share)} %`;
}
