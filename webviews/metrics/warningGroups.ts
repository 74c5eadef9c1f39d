import type { MetricsEvent } from '../../protocol/metrics/page.ts';
import { formatCount } from './format.ts';
import type { Run } from './store.ts';

/** A warning or error, and how often it came. Numbers in its text may differ. All images that cannot be read are one. */
export interface WarningGroup {
  readonly run: Run;
  /** In the order of the records. */
  readonly events: readonly [MetricsEvent, ...MetricsEvent[]];
  readonly last: MetricsEvent;
  /** Names it among the warnings of all runs, while no new one joins it: a dismissed warning returns with the next one. */
  readonly key: string;
  /** What is wrong, in a sentence. */
  readonly text: string;
  /** What to do. */
  readonly advice: string | undefined;
  /** Why it no longer counts; undefined: it does. */
  readonly resolved: string | undefined;
}

/** The warnings and errors of a run. A warning that repeats every epoch is one. */
export function warningsOf(run: Run): WarningGroup[] {
  const groups = new Map<string, { events: [MetricsEvent, ...MetricsEvent[]]; at: number }>();
  for (const [at, event] of run.events.entries()) {
    if (event.kind === 'info') continue;
    const key = event.event === 'broken' ? 'broken' : `${event.kind} ${event.message.replace(/[\d.,]+/g, '#')}`;
    const group = groups.get(key);
    if (group) {
      group.events.push(event);
      group.at = at;
    } else groups.set(key, { events: [event], at });
  }
  return [...groups].map(([key, { events, at }]) => {
    const last = events.at(-1) ?? events[0];
    // The text of an error has its remedy on lines of its own.
    const [what = '', ...more] = last.message.split(/\s*\n\s*/);
    const advice = [...more, last.advice ?? ''].filter(Boolean).join(' ');
    return {
      ...{ run, events, last, key: `${run.id} ${key} ${events.length}` },
      text:
        key === 'broken' && events.length > 1
          ? `${formatCount(events.length)} images cannot be read. The run goes on without them.`
          : what,
      advice: advice === '' ? undefined : advice,
      resolved: resolved(run, last, at),
    };
  });
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

/** A warning of an epoch has the number of its last step, from 0; other events have the number of steps done. */
export function stepsDone({ event, step }: MetricsEvent): number {
  return event === 'sign' ? step + 1 : step;
}

/** When the events of a group came. */
export function stepsText({ events, last }: WarningGroup): string {
  const [from, to] = [stepsDone(events[0]), stepsDone(last)];
  if (to === 0) return 'Before the first step';
  if (events.length === 1) return `Step ${formatCount(from)}`;
  return `Steps ${formatCount(from)} to ${formatCount(to)}, ${formatCount(events.length)} times`;
}
