import type { MetricsEvent } from '../../protocol/metrics/page.ts';
import { formatCount } from './format.ts';
import type { Run } from './store.ts';

/** A warning or error, and how often it came. Numbers in its text may differ. */
export interface WarningGroup {
  readonly run: Run;
  readonly first: MetricsEvent;
  readonly last: MetricsEvent;
  readonly count: number;
  /** Why it no longer counts; undefined: it does. */
  readonly resolved: string | undefined;
}

/** The warnings and errors of a run. A warning that repeats every epoch is one. */
export function warningsOf(run: Run): WarningGroup[] {
  const groups = new Map<string, { first: MetricsEvent; last: MetricsEvent; count: number; at: number }>();
  for (const [at, event] of run.events.entries()) {
    if (event.kind === 'info') continue;
    const key = `${event.kind} ${event.message.replace(/[\d.,]+/g, '#')}`;
    const group = groups.get(key);
    if (group) Object.assign(group, { last: event, count: group.count + 1, at });
    else groups.set(key, { first: event, last: event, count: 1, at });
  }
  return [...groups.values()].map(({ at, ...group }) => ({ run, ...group, resolved: resolved(run, group.last, at) }));
}

/** A sign of an epoch is over when a later epoch of its modality has none; what ended a run, when the run was resumed. */
function resolved(run: Run, { event, epoch }: MetricsEvent, at: number): string | undefined {
  if (event === 'broken') return undefined;
  if (event === 'sign') return epoch === undefined ? undefined : overSince(run, epoch);
  const resume = run.events.slice(at + 1).find((later) => later.event === 'resume');
  return resume && `resolved: resumed at step ${formatCount(resume.step)}`;
}

function overSince(run: Run, epoch: number): string | undefined {
  const epochs = run.epochs.values('epoch');
  const phase = run.epochs.values('phase');
  const row = epochs?.indexOf(epoch) ?? -1;
  if (!epochs || row < 0) return undefined;
  const later = epochs.findIndex((_, i) => i > row && phase?.[i] === phase?.[row]);
  return later < 0 ? undefined : `resolved: not since epoch ${formatCount(epoch + 1)}`;
}
