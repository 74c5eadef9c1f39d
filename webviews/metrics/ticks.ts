/** The range of values to show: the data with a little room, never empty, including the values that must be visible. */
export function valueRange(low: number, high: number, include: readonly number[], log: boolean): [number, number] {
  if (!(low <= high)) return log ? [0.1, 10] : [0, 1];
  if (log) {
    const room = Math.max(1.05, (high / low) ** 0.06);
    return [low / room, high * room];
  }
  const from = Math.min(low, ...include);
  const to = Math.max(high, ...include);
  if (from === to) {
    const room = from === 0 ? 1 : Math.abs(from) * 0.1;
    return [from - room, to + room];
  }
  const room = (to - from) * 0.08;
  return [include.includes(from) ? from : from - room, include.includes(to) ? to : to + room];
}

/** Ticks of a logarithmic axis: powers of ten over a wide range, 1–2–5 over a narrow one, round numbers within a decade. */
export function logTicks(min: number, max: number): number[] {
  const decades = Math.log10(max / min);
  const first = Math.floor(Math.log10(min));
  const last = Math.ceil(Math.log10(max));
  const stride = Math.max(1, Math.ceil(decades / 6));
  const digits = decades > 2.5 ? [1] : decades > 0.8 ? [1, 2, 5] : [1, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9];
  const ticks: number[] = [];
  for (let e = first; e <= last; e += stride) {
    for (const d of digits) {
      const tick = Number(`${d}e${e}`);
      if (tick >= min && tick <= max) ticks.push(tick);
    }
  }
  return ticks;
}
