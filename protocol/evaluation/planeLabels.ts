/** Value of pixels that the reference does not know. */
export const unknownLabel = 65535;

export function toRuns(labels: ArrayLike<number>): number[] {
  const runs: number[] = [];
  let start = 0;
  for (let i = 1; i <= labels.length; i++) {
    if (i < labels.length && labels[i] === labels[start]) continue;
    runs.push(labels[start]!, i - start);
    start = i;
  }
  return runs;
}

/** Inverse of `toRuns`; what is missing is 0, what is too much is cut. */
export function fromRuns(runs: readonly number[], length: number): Uint16Array {
  const labels = new Uint16Array(length);
  for (let i = 0, at = 0; i + 1 < runs.length; i += 2) {
    labels.fill(runs[i]!, at, at + runs[i + 1]!);
    at += runs[i + 1]!;
  }
  return labels;
}

/** How a pixel of the prediction stands to the reference. */
export const agreements = ['none', 'right', 'extra', 'missed', 'other'] as const;
export type Agreement = (typeof agreements)[number];

export function agreementOf(reference: number, prediction: number): Agreement {
  if (reference === unknownLabel) return 'none';
  if (reference === prediction) return reference === 0 ? 'none' : 'right';
  if (reference === 0) return 'extra';
  return prediction === 0 ? 'missed' : 'other';
}

/** An element of the page that a script fills with a plane names it in this attribute. The planes are in the element below. */
export const planeAttribute = 'data-plane';
export const embeddedPlanesId = 'unimiss-planes';
