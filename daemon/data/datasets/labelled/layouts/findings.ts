import type { UnimissError } from '../../../../../protocol/errors.ts';
import type { Finding, FindingKind } from '../types.ts';

/** What keeps a file from being read, as a finding. */
export function brokenFile(
  place: string,
  { what, details }: Pick<UnimissError, 'what' | 'details'>,
  id: string,
): Finding {
  const remedy = details.remedy ?? 'Replace the file, or remove the case.';
  return { severity: 'error', kind: kindOf(what), place, what, remedy, case: id };
}

function kindOf(what: string): FindingKind {
  if (what.includes('NaN')) return 'notFinite';
  return what.includes('colour image') ? 'colour' : 'brokenFile';
}
