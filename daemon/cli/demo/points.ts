/** 0.103 → `+10`, −0.03 → `−3`: a difference of shares in points. */
export function points(share: number): string {
  return `${share > 0 ? '+' : ''}${(100 * share).toFixed(0)}`.replace('-', '−');
}

export function pointsInterval({ low, high }: { readonly low: number; readonly high: number }): string {
  return `95 % interval ${points(low)} to ${points(high)} points`;
}
