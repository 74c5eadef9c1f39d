import type { Finding, LabelledDataset } from '../types.ts';
import type { Fingerprint } from './fingerprint.ts';

/** `abdomen: 3D segmentation, 30 labelled cases of 30 patients (nnunet)`, on one line. */
export function describeData(
  { name, layout }: LabelledDataset,
  { problem, modality, cases, patients }: Fingerprint,
): string {
  const text = `${name}: ${modality} ${problem}, ${count(cases, 'labelled case')} of ${count(patients, 'patient')} (${layout})`;
  return text.replaceAll(/\s+/g, ' ');
}

export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

/** Sizes of the images: `18×512×512 to 40×512×512, median 30×512×512`. */
export function sizeText({ size: { min, median, max }, modality }: Fingerprint): string {
  const text = (size: readonly number[]) =>
    (modality === '2D' ? size.slice(1) : size).map((side) => Math.round(side)).join('×');
  return text(min) === text(max) ? text(median) : `${text(min)} to ${text(max)}, median ${text(median)}`;
}

export function hoursText(hours: number): string {
  if (hours < 1.5) return `${Math.max(1, Math.round(60 * hours))} min`;
  return hours < 48 ? `${Math.round(hours)} h` : `${Math.round(hours / 24)} days`;
}

/** Findings as lines, the errors first; of each kind only some, the others counted. */
export function findingLines(findings: readonly Finding[], mostOfAKind = 20): string[] {
  const lines: string[] = [];
  for (const severity of ['error', 'warning'] as const) {
    const byKind = new Map<Finding['kind'], Finding[]>();
    for (const one of findings)
      if (one.severity === severity) byKind.set(one.kind, [...(byKind.get(one.kind) ?? []), one]);
    for (const [, own] of byKind) {
      for (const { place, what, remedy } of own.slice(0, mostOfAKind))
        lines.push(`${severity}: ${place} ${what}. ${remedy}`);
      if (own.length > mostOfAKind)
        lines.push(`${severity}: … and ${own.length - mostOfAKind} more of this kind (--json lists all)`);
    }
  }
  return lines;
}
