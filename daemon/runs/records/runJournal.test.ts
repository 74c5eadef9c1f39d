import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseConfig } from '../../../protocol/config/parseConfig.ts';
import { resolveConfig } from '../../../protocol/config/resolveConfig.ts';
import { RunFolder } from '../folder/runFolder.ts';
import { RunJournal } from './runJournal.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'unimiss-journal-'));
});
afterAll(() => rm(root, { recursive: true }));

it('knows after a cut which kinds of notices stay in the records, and syncs what is said meanwhile', async () => {
  const text = '{ "data": { "paths": "ct" } }';
  const run = await RunFolder.create(root, text, resolveConfig(parseConfig(text, 'a'), { baseDir: root }));
  const first = await RunJournal.open(run, {});
  await first.cutAfter(0);
  expect([...first.reportedKinds]).toEqual([]);
  first.event('notice', 'a.nii has a spacing of 5×2×2 mm', { details: { kind: 'resampled' } });
  first.event('notice', 'Fastest executor here: graph');
  first.event('preview', 'Views of epoch 2', { step: 7 });
  first.event('notice', 'b.nii says nothing about its spacing', { details: { kind: 'spacing' } });
  const synced = first.sync();
  first.log('info', 'said while syncing');
  await synced;
  first.close();

  const second = await RunJournal.open(run, {});
  await second.cutAfter(5);
  expect([...second.reportedKinds]).toEqual(['resampled']);
  second.close();
  expect(await readFile(run.logFile, 'utf8')).toMatch(/said while syncing\n.* 2 records after step 5 are taken back/);
});
