import type { StoredCase } from '../../../data/prepared/readCase.ts';
import type { NetworkPlan } from '../../folder/networkPlan.ts';

/** Voxels so many times as long as the plan's hold less than the network has learned from. */
const farCoarser = 3;

/** How an image differs from what a network was trained on, so that its labels deserve less trust: sentences whose subject is the image. */
export function differences({ spacing, channels }: StoredCase, plan: NetworkPlan): string[] {
  const found: string[] = [];
  if (spacing && plan.spacing) {
    const coarse = spacing.filter((mm, axis) => mm > farCoarser * plan.spacing![axis]!);
    if (coarse.length > 0)
      found.push(
        `has voxels of ${spacing.map((mm) => mm.toFixed(2)).join('×')} mm, much coarser than the ${plan.spacing.join('×')} mm that the network was trained on`,
      );
  }
  for (const [c, { name, normalization }] of plan.channels.entries()) {
    if (normalization.scheme !== 'clip') continue;
    const [low, high] = normalization.range;
    const share = shareInside(channels[c]!, low, high);
    if (share < 0.05)
      found.push(
        `has only ${(100 * share).toFixed(1)} % of its values of ${name} within [${low}, ${high}], on which the network was trained: check their unit`,
      );
  }
  return found;
}

function shareInside(values: ArrayLike<number>, low: number, high: number): number {
  let inside = 0;
  for (let i = 0; i < values.length; i++) if (values[i]! > low && values[i]! < high) inside++;
  return inside / values.length;
}
