/** Numbers for people: four significant digits, powers of ten where the plain form would be long. */
export function formatNumber(value: number | null | undefined, digits = 4): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e7)) return trimExponent(value.toExponential(digits - 2));
  if (size >= 1000) return properMinus(Math.round(value).toLocaleString('en-GB'));
  return properMinus(String(Number(value.toPrecision(digits))));
}

function properMinus(text: string): string {
  return text.replace(/^-/, '−');
}

function trimExponent(text: string): string {
  return text
    .replace(/\.?0*e\+?/, 'e')
    .replace('e-', 'e−')
    .replace(/^-/, '−');
}

/** A count with groups of thousands: 100,000. */
export function formatCount(value: number): string {
  return Math.round(value).toLocaleString('en-GB');
}

/** Seconds as "3 s", "4 min 10 s", "2 h 05 min", "3 d 4 h". */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return '–';
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${String(whole % 60).padStart(2, '0')} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${String(minutes % 60).padStart(2, '0')} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** An estimate of seconds, with no more precision than it has: "≈ 40 s", "≈ 12 min", "≈ 4 h 10 min", "≈ 3 d". */
export function formatEstimate(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return '–';
  const to = (unit: number) => Math.round(seconds / unit) * unit;
  if (to(5) < 60) return `≈ ${Math.max(5, to(5))} s`;
  if (to(60) < 3600) return `≈ ${to(60) / 60} min`;
  if (to(600) < 36_000) {
    const minutes = (to(600) % 3600) / 60;
    return `≈ ${Math.floor(to(600) / 3600)} h${minutes === 0 ? '' : ` ${minutes} min`}`;
  }
  return to(3600) < 172_800 ? `≈ ${to(3600) / 3600} h` : `≈ ${Math.round(seconds / 86_400)} d`;
}

/** Ticks of a duration axis, `stepSeconds` apart. */
export function formatDurationTick(seconds: number, stepSeconds: number): string {
  if (seconds === 0) return '0';
  if (stepSeconds >= 3600) return `${formatNumber(seconds / 3600)} h`;
  if (stepSeconds >= 60 && seconds < 5400) return `${formatNumber(seconds / 60)} min`;
  if (stepSeconds >= 60) {
    const minutes = Math.round(seconds / 60);
    return minutes % 60 === 0
      ? `${minutes / 60} h`
      : `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')} h`;
  }
  if (seconds < 60) return `${formatNumber(seconds)} s`;
  return `${Math.floor(seconds / 60)}:${String(Math.round(seconds % 60)).padStart(2, '0')} min`;
}

/** Ticks of a value axis: short, equally precise. */
export function formatTicks(values: readonly number[]): string[] {
  const largest = Math.max(0, ...values.map(Math.abs));
  if (largest >= 1e5) return values.map((v) => (v === 0 ? '0' : compact(v)));
  if (largest > 0 && largest < 1e-3) return values.map((v) => (v === 0 ? '0' : trimExponent(v.toExponential(1))));
  const step = values.length > 1 ? Math.abs(values[1]! - values[0]!) : largest;
  const decimals = Math.max(0, Math.min(6, Math.ceil(-Math.log10(step || 1) - 1e-9) + (isTidy(step) ? 0 : 1)));
  return values.map((v) => properMinus(v.toFixed(decimals)));
}

/** Whether the step is 1, 2 or 5 times a power of ten, so that its own decimals suffice. */
function isTidy(step: number): boolean {
  if (!(step > 0)) return true;
  const mantissa = step / 10 ** Math.floor(Math.log10(step) + 1e-9);
  return Math.abs(mantissa - Math.round(mantissa)) < 1e-6;
}

function compact(value: number): string {
  const units: [number, string][] = [
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ];
  for (const [size, unit] of units)
    if (Math.abs(value) >= size) return `${Number((value / size).toPrecision(3))}${unit}`;
  return String(value);
}

/** `cross3D` → "Cross 3D", `volume-slices` → "Volume slices": a heading for a series that is not in the catalogue. */
export function titleOf(key: string): string {
  const words = key
    .replace(/^.*\//, '')
    .replace(/([a-z])([A-Z0-9])/g, '$1 $2')
    .replace(/[_-]+/g, ' ')
    .trim();
  return words.charAt(0).toUpperCase() + words.slice(1).replace(/ ([A-Z])(?=[a-z])/g, (m) => m.toLowerCase());
}
