/** Numbers as people read them, the same in the shell, the editor and the report. */

const grouped = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 0 });

/** A whole number with commas: 12,000. */
export function thousands(value: number): string {
  return grouped.format(value);
}

/** `1 volume`, `12,000 volumes` */
export function count(value: number, noun: string, plural = `${noun}s`): string {
  return `${thousands(value)} ${value === 1 ? noun : plural}`;
}

/** Bytes in powers of 1024: `42 B`, `1.6 GiB`. */
export function humanBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let i = 0;
  let value = bytes;
  while (value >= 1024 && i < units.length - 1) {
    value /= 1024;
    i++;
  }
  return `${i === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[i]}`;
}

/** A duration that is only known roughly: `40 s`, `6 min`, `3 h`, `1.5 h`, `4 days`. */
export function roughDuration(seconds: number): string {
  if (seconds < 1) return 'less than 1 s';
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`;
  const hours = seconds / 3600;
  if (hours < 48) return `${hours < 9.5 ? Number(hours.toFixed(1)) : Math.round(hours)} h`;
  return `${thousands(Math.round(hours / 24))} days`;
}
