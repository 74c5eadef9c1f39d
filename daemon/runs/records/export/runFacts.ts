import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SummaryFact } from '../../../../protocol/metrics/page.ts';
import type { RunRecord, RunSummary } from '../../../../protocol/records/records.ts';
import { count, dateTextUtc } from '../../../../protocol/words.ts';
import type { RunFolder } from '../../folder/runFolder.ts';

/** What a report says of a run beside its curves: which, when, on what, by what. */
export async function runFacts(
  run: RunFolder,
  summary: RunSummary,
  records: readonly RunRecord[],
): Promise<SummaryFact[]> {
  const events = records.filter((record) => record.kind === 'event');
  const start = events.find(({ event }) => event === 'start');
  const checkpoint = events.findLast(({ event }) => event === 'checkpoint');
  const versions = await run.versions();
  const resumes = events.filter(({ event }) => event === 'resume').length;
  const fact = (label: string, value: string | undefined, note?: string): SummaryFact[] =>
    value === undefined ? [] : [{ label, value, ...(note !== undefined && { note }) }];
  return [
    ...fact('Run', run.id, `${summary.task}, preset ${summary.preset}`),
    ...fact(
      'Started',
      start && dateTextUtc(start.time),
      resumes === 0 ? undefined : `resumed ${count(resumes, 'time')}`,
    ),
    ...fact('Last update', dateTextUtc(summary.updated), summary.state),
    ...fact('Data and plan', start?.message.replace(/^Started: /, '')),
    ...fact('Machine', versions && `${versions.device}, ${versions.platform}`),
    ...fact(
      'Software',
      versions && `UniMiSS ${versions.unimiss}, TensorFlow ${versions.tensorflow}, Node.js ${versions.node}`,
    ),
    ...fact('Configuration', await digestOf(run), 'SHA-256 of config.resolved.json'),
    ...fact('Last checkpoint', checkpoint?.file ?? checkpoint?.message),
  ];
}

/** The first twelve digits of the hash of the configuration. */
async function digestOf(run: RunFolder): Promise<string> {
  const bytes = await readFile(join(run.folder, 'config.resolved.json'));
  return createHash('sha256').update(bytes).digest('hex').slice(0, 12);
}
