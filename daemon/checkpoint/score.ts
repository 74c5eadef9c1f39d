/** A number by which checkpoints are compared. */
export interface Score {
  /** Its key in the catalogue of numbers (protocol/records/series.ts). */
  readonly series: string;
  readonly value: number;
  readonly better: 'lower' | 'higher';
}

/** The score as metadata of a checkpoint: strings. Omits a value that is not finite. */
export function scoreMetadata(score: Score | undefined): Record<string, string> {
  if (score === undefined || !Number.isFinite(score.value)) return {};
  return { score: String(score.value), scoreSeries: score.series, scoreBetter: score.better };
}

/** The score in a checkpoint's metadata. Version 0.1.0 stored only the value of an epoch's mean loss. */
export function scoreOf(metadata: Readonly<Record<string, string>>): Score | undefined {
  const value = Number(metadata.score ?? Number.NaN);
  if (!Number.isFinite(value)) return undefined;
  const better = metadata.scoreBetter === 'higher' ? 'higher' : 'lower';
  return { series: metadata.scoreSeries ?? 'loss', value, better };
}
