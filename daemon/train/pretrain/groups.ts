import type { Modality } from '../../../protocol/modality.ts';
import type { ParameterSpec } from '../../model/parameters.ts';

/**
 * Parameters whose updates Adam counts together: `shared` ones move in every step, `volume` ones in steps on volumes, the head's
 * `lastLayer` in all steps except those of the first epoch.
 */
export const updateGroups = ['shared', 'volume', 'lastLayer'] as const;
export type UpdateGroup = (typeof updateGroups)[number];

export function updateGroupOf({ group, modality }: ParameterSpec): UpdateGroup {
  if (group === 'lastLayer') return 'lastLayer';
  return modality === '3D' ? 'volume' : 'shared';
}

/** The groups that a step moves. */
export function movingGroups(phase: Modality, lastLayerFrozen: boolean): ReadonlySet<UpdateGroup> {
  const moves: Record<UpdateGroup, boolean> = { shared: true, volume: phase === '3D', lastLayer: !lastLayerFrozen };
  return new Set(updateGroups.filter((group) => moves[group]));
}
