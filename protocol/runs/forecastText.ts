import { count, humanBytes, roughDuration, thousands } from '../words.ts';
import type { Concern, Forecast, Phase } from './forecast.ts';

/** How a forecast reads, in the shell and in the editor. */

/** `7 2D images, 12 volumes` */
export function imagesText({ images }: Pick<Forecast, 'images'>): string {
  return images.map(({ what, count: n }) => count(n, what)).join(', ') || 'no images';
}

/** In one line: `7 2D images, 12 volumes (2 unreadable) · 200 steps in 200 epochs · about 6 min · 1.6 GiB memory · AMD EPYC` */
export function forecastLine(forecast: Forecast): string {
  return `${workLine(forecast)} · ${costLine(forecast)}`;
}

/** What it does: `7 2D images, 12 volumes (2 unreadable) · 200 steps in 200 epochs` */
export function workLine(forecast: Forecast): string {
  const { unreadable, steps, epochs } = forecast;
  const bad = unreadable.count > 0 ? ` (${thousands(unreadable.count)} unreadable)` : '';
  const plan = steps > 0 ? [`${count(steps, 'step')} in ${count(epochs, 'epoch')}`] : [];
  return [`${imagesText(forecast)}${bad}`, ...plan].join(' · ');
}

/** What that takes: `about 6 min · 1.6 GiB memory · AMD EPYC` */
export function costLine({ time, memory, device }: Forecast): string {
  return [
    ...(time ? [`about ${roughDuration(time.seconds)}${time.basis === 'estimated' ? ' (estimated)' : ''}`] : []),
    ...(memory ? [`${humanBytes(memory.bytes)} memory`] : []),
    device,
  ].join(' · ');
}

/** Rows of a heading and a text. */
export function forecastRows(forecast: Forecast): [string, string][] {
  const { unreadable, skipped, steps, epochs, phases, time, memory, disk, device } = forecast;
  const rows: [string, string][] = [['Images', imagesText(forecast)]];
  if (unreadable.count > 0) rows.push(['Unreadable', `${thousands(unreadable.count)}: ${unreadableText(unreadable)}`]);
  if (skipped > 0) rows.push(['Skipped', count(skipped, 'file that is not an image', 'files that are not images')]);
  if (steps > 0) {
    const parts = phases.length > 1 ? `: ${phases.map(phaseText).join(', ')}` : '';
    rows.push(['Training', `${count(steps, 'step')} in ${count(epochs, 'epoch')}${parts}`]);
  }
  rows.push(['Device', device]);
  if (time) rows.push(['Time', `about ${roughDuration(time.seconds)} (${time.basis}: ${time.from})`]);
  else if (steps > 0) rows.push(['Time', 'unknown: no run has measured these steps on this device yet']);
  if (memory) {
    const of = memory.available === null ? '' : ` of ${humanBytes(memory.available)}`;
    rows.push(['Memory', `about ${humanBytes(memory.bytes)}${of} (${memory.basis})`]);
  }
  if (disk) rows.push(['Disk', `up to ${humanBytes(disk.bytes)} for checkpoints; ${humanBytes(disk.available)} free`]);
  return rows;
}

/** `100 epochs of 2D with 1 step each` */
function phaseText({ group, epochs, steps }: Phase): string {
  return `${count(epochs, 'epoch')} of ${group ?? 'training'} with ${count(Math.round(steps / Math.max(1, epochs)), 'step')} each`;
}

/** Files that a row names; the others are counted. */
const named = 5;

function unreadableText({ count: all, first }: Forecast['unreadable']): string {
  const lines = first.slice(0, named).map(({ name, reason }) => `${name}: ${reason}`);
  return [...lines, ...(all > named ? [`and ${thousands(all - named)} more`] : [])].join('\n');
}

/** `Warning: train.lr: a learning rate of 0.05 is 62 times the paper's 0.0008`, and the remedy. */
export function concernText({ severity, field, message, remedy }: Concern): string {
  const heading = severity === 'error' ? 'Error' : 'Warning';
  return `${heading}: ${field ? `${field}: ` : ''}${message}.${remedy ? `\n  ${remedy}` : ''}`;
}
