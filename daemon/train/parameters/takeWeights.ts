import { UnimissError } from '../../../protocol/errors.ts';
import type { SafetensorsFile } from '../../checkpoint/safetensorsReader.ts';
import type { Engine } from '../../engine/index.ts';
import { cells } from '../../model/geometry.ts';
import { resizePositions } from '../../model/ops/resizePositions.ts';
import type { ParameterSpec } from '../../model/parameters.ts';
import type { FirstValues } from './firstValues.ts';

/** Prefixes of parameter names: ours, and those of the reference's data-parallel wrapper. */
const prefixes = ['student.', 'teacher.', 'module.', ''];

/** How each parameter of a network got its values, by names, and the unused tensors of the file. */
export interface WeightsReport {
  readonly taken: readonly string[];
  /** Position embeddings that were interpolated to another grid. */
  readonly resized: readonly {
    readonly name: string;
    readonly from: readonly number[];
    readonly to: readonly number[];
  }[];
  /** Kept their first values: the file lacks them, or has them in another shape. */
  readonly fresh: readonly string[];
  readonly unused: readonly string[];
}

/** The source of a parameter's first values. */
interface Source {
  readonly tensor: string;
  readonly shape: readonly number[];
  /** The grid to resize positions from; absent: positions are used unchanged. */
  readonly grid?: readonly number[];
}

interface WeightsPlan {
  readonly sources: ReadonlyMap<string, Source>;
  readonly report: WeightsReport;
}

/**
 * Finds by the header alone which parameters of a network a file of weights has. The file is one of our checkpoints (its student,
 * if it has one), or the reference's weights with or without `module.`.
 * @param required whether the file must have a parameter in its own shape, or (positions) in a resizable one
 * @throws UnimissError 'checkpoint', which names the first required parameter that is missing or has another shape
 */
export function planWeights(
  file: SafetensorsFile,
  specs: readonly ParameterSpec[],
  required: (spec: ParameterSpec) => boolean,
): WeightsPlan {
  const sources = new Map<string, Source>();
  const resized: { name: string; from: readonly number[]; to: readonly number[] }[] = [];
  const prefix = prefixes.find((each) => specs.some(({ name }) => file.tensors.has(each + name))) ?? '';
  for (const spec of specs.filter(({ learns }) => learns)) {
    const { name, shape } = spec;
    const found = file.tensors.get(prefix + name);
    const grid = found && spec.grid && sourceGrid(spec, found.shape);
    if (found?.dtype === 'F32' && found.shape.join() === shape.join()) sources.set(name, { tensor: found.name, shape });
    else if (found?.dtype === 'F32' && spec.grid && grid) {
      sources.set(name, { tensor: found.name, shape: found.shape, grid });
      resized.push({ name, from: grid, to: spec.grid });
    } else if (required(spec)) throw unfit(file, prefix + name, shape);
  }
  const ofNetwork = new Set(specs.map(({ name }) => prefix + name));
  return {
    sources,
    report: {
      taken: [...sources].flatMap(([name, { grid }]) => (grid ? [] : [name])),
      resized,
      fresh: specs.filter(({ name, learns }) => learns && !sources.has(name)).map(({ name }) => name),
      unused: [...file.tensors.keys()].filter((name) => name.startsWith(prefix) && !ofNetwork.has(name)),
    },
  };
}

/**
 * First values of a network from a file of weights (see `planWeights`). Missing values come from `fresh`.
 * @throws UnimissError 'checkpoint' as `planWeights` does, or if the file's checksum is wrong
 */
export async function takeWeights(
  file: SafetensorsFile,
  specs: readonly ParameterSpec[],
  want: { engine: Engine; fresh: FirstValues; required: (spec: ParameterSpec) => boolean },
): Promise<{ first: FirstValues; report: WeightsReport }> {
  await file.verify({ optional: true });
  const { sources, report } = planWeights(file, specs, want.required);
  const values = new Map<string, Float32Array>();
  for (const [name, { tensor, shape }] of sources) values.set(name, await file.readFloat32(tensor, shape));
  const first: FirstValues = (spec) => {
    const own = values.get(spec.name);
    if (!own) return want.fresh(spec);
    const grid = sources.get(spec.name)?.grid;
    return grid ? resize(want.engine, spec, own, grid) : own;
  };
  return { first, report };
}

/**
 * The grid of positions that were made for another size; undefined if their number does not determine it. The in-plane grid is
 * square; volumes have the same number of slices as ours.
 */
function sourceGrid({ shape, grid }: ParameterSpec, source: readonly number[]): number[] | undefined {
  const [one, rows, channels] = source;
  if (!grid || source.length !== 3 || one !== 1 || rows === undefined || channels !== shape[2]) return undefined;
  const slices = grid.slice(0, -2);
  const side = Math.sqrt((rows - 1) / cells(slices));
  return Number.isInteger(side) && side > 0 ? [...slices, side, side] : undefined;
}

/** @param values [1, 1 + cells(from), C] */
function resize(engine: Engine, spec: ParameterSpec, values: Float32Array, from: readonly number[]): Float32Array {
  const { grid, modality, shape } = spec;
  if (!grid || !modality) throw new UnimissError('internal', 'has no grid', { place: spec.name });
  const positions = engine.tensor(values, [1, 1 + cells(from), shape[2] ?? 0]);
  const resized = resizePositions(positions, modality, from, grid);
  try {
    return Float32Array.from(resized.dataSync());
  } finally {
    for (const tensor of new Set([positions, resized])) tensor.dispose();
  }
}

function unfit(file: SafetensorsFile, name: string, shape: readonly number[]): UnimissError {
  const found = file.tensors.get(name);
  const what = found
    ? `"${name}" is ${found.dtype} [${found.shape.join(', ')}], not F32 [${shape.join(', ')}]`
    : `has no parameter "${name}"`;
  return new UnimissError('checkpoint', what, {
    place: file.file,
    remedy: 'The weights must come from the same model preset.',
  });
}

/** Largest number of names in a message. */
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
