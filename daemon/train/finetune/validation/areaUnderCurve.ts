/**
 * Area under the ROC curve: the chance that a positive image has a higher score than a negative one, ties counting half
 * (Mann and Whitney 1947). Undefined where one of them is missing.
 */
export function areaUnderCurve(scores: readonly number[], positive: readonly boolean[]): number | undefined {
  const order = scores.map((score, i) => ({ score, positive: positive[i] === true })).sort((a, b) => a.score - b.score);
  const positives = order.filter((one) => one.positive).length;
  const negatives = order.length - positives;
  if (positives === 0 || negatives === 0) return undefined;
  let ranks = 0;
  for (let from = 0; from < order.length; ) {
    let to = from;
    while (to < order.length && order[to]!.score === order[from]!.score) to++;
    const rank = (from + to + 1) / 2; // the mean of ranks from + 1 … to
    for (let i = from; i < to; i++) if (order[i]!.positive) ranks += rank;
    from = to;
  }
  return (ranks - (positives * (positives + 1)) / 2) / (positives * negatives);
}
