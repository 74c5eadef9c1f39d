import type { Modality } from '../../../protocol/modality.ts';
import { cells, stageGrids } from '../../model/geometry.ts';
import type { ParameterSpec } from '../../model/parameters.ts';

/** Encoder stages of every MiT. */
const STAGES = 4;

/** The grid that the positions of a file were made for, and the class tokens' rows before them. */
export interface PositionGrid {
  readonly grid: readonly number[];
  readonly classTokens: 0 | 1;
}

/** A position embedding of the network that a file has too, with its number of rows there. */
export interface FoundPositions {
  readonly spec: ParameterSpec & { readonly grid: readonly number[]; readonly modality: Modality };
  readonly rows: number;
}

export interface GridChoices {
  /** [H, W] that the file's network was made for, if that is known. */
  readonly size2D?: readonly number[];
  /** [D, H, W], as `size2D`. */
  readonly size3D?: readonly number[];
  /**
   * If the size is not known and the number of rows is another than ours: volumes had as many slices as ours. Otherwise they had as few as
   * their number of rows allows (16 in the reference).
   */
  readonly sameSlices?: boolean;
}

/**
 * The grids of a file's position embeddings, by the names of the network's. A file says only how many rows there are. From stage to stage
 * the grid is halved, which gives the number of class tokens. The grid itself is that of the size in `choices`; else ours if the number is
 * the same; else square in plane.
 * A modality whose rows fit no grid is absent.
 */
export function positionGrids(found: readonly FoundPositions[], choices: GridChoices): Map<string, PositionGrid> {
  const grids = new Map<string, PositionGrid>();
  for (const modality of ['2D', '3D'] as const) {
    const own = found.filter(({ spec }) => spec.modality === modality);
    const [coarsest] = own.toSorted((a, b) => cells(a.spec.grid) - cells(b.spec.grid));
    if (!coarsest) continue;
    for (const classTokens of [1, 0] as const) {
      const grid = coarsestGrid(coarsest, coarsest.rows - classTokens, choices);
      if (!grid) continue;
      const all = own.map(({ spec, rows }) => {
        const factor = (spec.grid[0] ?? 1) / (coarsest.spec.grid[0] ?? 1);
        const scaled = grid.map((length) => length * factor);
        return { name: spec.name, grid: scaled, fits: cells(scaled) === rows - classTokens };
      });
      if (!all.every(({ fits }) => fits)) continue;
      for (const { name, grid } of all) grids.set(name, { grid, classTokens });
      break;
    }
  }
  return grids;
}

function coarsestGrid(
  { spec }: FoundPositions,
  count: number,
  { size2D, size3D, sameSlices = false }: GridChoices,
): number[] | undefined {
  const size = spec.modality === '2D' ? size2D : size3D;
  if (size) return stageGrids(spec.modality, size, STAGES).find((grid) => cells(grid) === count);
  if (cells(spec.grid) === count) return [...spec.grid];
  const square = (slices: readonly number[]): number[] | undefined => {
    const side = Math.sqrt(count / cells(slices));
    return Number.isInteger(side) && side > 0 ? [...slices, side, side] : undefined;
  };
  if (spec.modality === '2D') return square([]);
  if (sameSlices) return square(spec.grid.slice(0, 1));
  for (let slices = 1; slices <= count; slices++) {
    const grid = square([slices]);
    if (grid) return grid;
  }
  return undefined;
}
