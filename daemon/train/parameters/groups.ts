import type { Modality } from '../../../protocol/modality.ts';
import type { ParameterSpec } from '../../model/parameters.ts';

/** The parameters that learn from images of a modality: pictures do not change those of volumes. */
export function trainedBy(modality: Modality, specs: readonly ParameterSpec[]): ParameterSpec[] {
  return specs.filter((spec) => spec.learns && (modality === '3D' || spec.modality !== '3D'));
}
