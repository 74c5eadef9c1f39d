import type { Agreement } from '../../protocol/evaluation/planeLabels.ts';

/** Colours of the prediction's fill (red, green, blue, opacity). They differ in brightness too. */
export const agreementColors: Readonly<Record<Exclude<Agreement, 'none'>, readonly [number, number, number, number]>> =
  {
    right: [46, 160, 150, 0.4],
    extra: [255, 140, 0, 0.75],
    missed: [224, 49, 140, 0.75],
    other: [250, 220, 60, 0.75],
  };

/** What the colours mean, for a legend. */
export const agreementWords: Readonly<Record<Exclude<Agreement, 'none'>, string>> = {
  right: 'prediction, as in the reference',
  extra: 'predicted, but not in the reference',
  missed: 'in the reference, but not predicted',
  other: 'predicted as another class',
};
