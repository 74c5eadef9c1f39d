/** 0.103 → `+10`, −0.03 → `−3`, −0.003 → `0`: a difference of shares in points. */
export function points(share: number): string {
  const whole = Math.round(100 * share);
  return `${whole > 0 ? '+' : ''}${whole}`.replace('-', '−');
}

export function pointsInterval({ low, high }: { readonly low: number; readonly high: number }): string {
  return `95 % interval ${points(low)} to ${points(high)} points`;
}
