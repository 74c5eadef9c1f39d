import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { resolveConfig } from '../../../protocol/config/index.ts';
import { parseConfig } from '../../../protocol/config/parseConfig.ts';
import { UnimissError } from '../../../protocol/errors.ts';
import { RunFolder } from '../folder/runFolder.ts';
import { RunJournal } from './runJournal.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'unimiss-journal-'));
});
afterEach(() => vi.unstubAllEnvs());
afterAll(() => rm(root, { recursive: true }));

it('knows after a cut which kinds of notices stay in the records, and syncs what is said meanwhile', async () => {
  const text = '{ "data": { "paths": "ct" } }';
  const run = await RunFolder.create(root, text, resolveConfig(parseConfig(text, 'a'), { baseDir: root }));
  const first = await RunJournal.open(run, []);
  await first.cutAfter(0);
  expect([...first.reportedKinds]).toEqual([]);
  first.event('notice', 'a.nii has a spacing of 5×2×2 mm', { details: { kind: 'resampled' } });
  first.event('notice', 'Fastest executor here: graph');
  first.noticeOnce('`data.sieve` is ignored', 0);
  first.event('preview', 'Views of epoch 2', { step: 7 });
  first.event('notice', 'b.nii says nothing about its spacing', { details: { kind: 'spacing' } });
  const synced = first.sync();
  first.log('info', 'said while syncing');
  await synced;
  first.close();

  const second = await RunJournal.open(run, []);
  await second.cutAfter(5);
  expect([...second.reportedKinds]).toEqual(['resampled']);
  second.noticeOnce('`data.sieve` is ignored', 5);
  second.noticeOnce('`data.depth` is ignored', 5);
  second.close();
  const records = await readFile(run.recordsFile, 'utf8');
  expect(records.match(/`data\.\w+` is ignored/g)).toEqual(['`data.sieve` is ignored', '`data.depth` is ignored']);
  expect(await readFile(run.logFile, 'utf8')).toMatch(/said while syncing\n.*Removed 2 records after step 5/);
});

it('hides the names that the data of an error give, in records, log and stack', async () => {
  vi.stubEnv('XDG_CONFIG_HOME', join(root, 'config'));
  const text = JSON.stringify({ data: { paths: 'ct' }, records: { hidePaths: true } });
  const run = await RunFolder.create(root, text, resolveConfig(parseConfig(text, 'a'), { baseDir: root }));
  const journal = await RunJournal.open(run, []);
  journal.error(new UnimissError('data', 'Jane Doe comes twice', { place: 'list.csv:3', images: ['Jane Doe'] }));
  journal.error(new TypeError('no voxels in Jane/17.nii'));
  journal.close();
  const [records, log] = [await readFile(run.recordsFile, 'utf8'), await readFile(run.logFile, 'utf8')];
  expect(records).toMatch(/"list\.csv:3: image-[0-9a-f]{16} comes twice"/);
  expect(log).toMatch(/TypeError: no voxels in image-[0-9a-f]{16}\.nii\n +at /);
  expect(records + log).not.toMatch(/Jane|Doe/);
});
