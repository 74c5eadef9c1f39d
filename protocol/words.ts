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

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

/**
 * A time as it is written everywhere: `25 Nov, 16:57`; in another year than `now`, `25 Nov 2025, 16:57`. Local time.
 * @param time milliseconds, or ISO 8601
 */
export function dateText(time: number | string, now = new Date()): string {
  const date = new Date(time);
  const year = date.getFullYear() === now.getFullYear() ? '' : ` ${date.getFullYear()}`;
  return `${date.getDate()} ${months[date.getMonth()]}${year}, ${clock(date.getHours(), date.getMinutes())}`;
}

/** For what travels to other places and years: `25 Nov 2026, 16:57 UTC`. */
export function dateTextUtc(time: number | string): string {
  const date = new Date(time);
  const day = `${date.getUTCDate()} ${months[date.getUTCMonth()]} ${date.getUTCFullYear()}`;
  return `${day}, ${clock(date.getUTCHours(), date.getUTCMinutes())} UTC`;
}

/** Where there is little room: `16:57` today, else `25 Nov`. */
export function shortDateText(time: number | string, now = new Date()): string {
  const date = new Date(time);
  const today = date.toDateString() === now.toDateString();
  return today ? clock(date.getHours(), date.getMinutes()) : `${date.getDate()} ${months[date.getMonth()]}`;
}

function clock(hours: number, minutes: number): string {
  return `${String(hours).padStart(2, '0')}:${String(minutes).padStart(2, '0')}`;
}
