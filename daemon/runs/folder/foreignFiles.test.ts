import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, test } from 'vitest';
import { makeRun } from '../../../test/daemon/runs.ts';
import { CheckpointStore } from '../../checkpoint/store.ts';
import { tailOf } from '../../server/feeds/logSubscription.ts';
import { listRuns } from '../records/list.ts';
import { loadPreviews, readPreviews } from '../records/previewFiles.ts';
import { RecordLog } from '../records/recordLog.ts';
import { readRecordsAfter } from '../records/recordReader.ts';
import { isLocked, lockRun } from './lock.ts';
import { RunLog } from './log.ts';
import { RunFolder } from './runFolder.ts';

/** Run folders that someone else may have made. */
let box: string;
let secret: string;
let run: RunFolder;
beforeEach(async () => {
  box = mkdtempSync(join(tmpdir(), 'unimiss-foreign-'));
  secret = join(box, 'secret.txt');
  writeFileSync(secret, 'patient 12345\n');
  run = await makeRun(join(box, 'runs'), 'foreign', 10);
});
afterEach(() => rmSync(box, { recursive: true }));

const asLink = { code: 'run', message: expect.stringContaining('link') };
const asPipe = { code: 'run', message: expect.stringContaining('not a regular file') };

it('a link in place of the log or the records is neither read nor written', async () => {
  symlinkSync(secret, run.logFile);
  symlinkSync(secret, run.recordsFile);
  await expect(tailOf(run.logFile, 10)).rejects.toMatchObject(asLink);
  await expect(readRecordsAfter(run.recordsFile)).rejects.toMatchObject(asLink);
  expect(() => new RunLog(run.logFile)).toThrow(/link/);
  expect(() => RecordLog.open(run.recordsFile)).toThrow(/link/);
});

it('a link in place of a preview, or of their folder, is not shown', async () => {
  symlinkSync(secret, join(run.previewsFolder, 'a.png'));
  await expect(readPreviews(run, ['a.png'])).rejects.toMatchObject(asLink);
  rmSync(run.previewsFolder, { recursive: true });
  symlinkSync(box, run.previewsFolder);
  await expect(readPreviews(run, ['secret.txt'])).rejects.toMatchObject(asLink);
});

it('a link in place of what a run is made of is refused', async () => {
  for (const name of ['run.json', 'config.resolved.json']) {
    rmSync(join(run.folder, name));
    symlinkSync(secret, join(run.folder, name));
    await expect(RunFolder.open(run.folder)).rejects.toMatchObject(asLink);
  }
  symlinkSync(secret, run.lockFile);
  await expect(lockRun(run.lockFile)).rejects.toMatchObject({ code: 'disk' });
});

it('a link to the folder of the run itself is fine', async () => {
  symlinkSync(run.folder, join(box, 'elsewhere'));
  writeFileSync(join(run.previewsFolder, 'a.png'), 'png');
  expect(await readPreviews(await RunFolder.open(join(box, 'elsewhere')), ['a.png'])).toEqual([
    expect.stringContaining('data:image/png'),
  ]);
});

it('checkpoints that are links are not taken', async () => {
  symlinkSync(secret, join(run.checkpointsFolder, 'step-000000001.safetensors'));
  const notices: string[] = [];
  await expect(new CheckpointStore(run.checkpointsFolder).latestGood((text) => notices.push(text))).rejects.toThrow();
  expect(notices.join()).toContain('UniMiSS does not follow links in a run folder');
});

test('pipes block nobody: each reader and writer refuses them in a sentence', async () => {
  const pipe = (path: string) => execFileSync('mkfifo', [path]);
  pipe(run.recordsFile);
  pipe(run.logFile);
  pipe(run.lockFile);
  pipe(join(run.previewsFolder, 'a.png'));
  pipe(join(run.folder, 'versions.json'));
  // More than the threads that Node has for files.
  for (let i = 0; i < 6; i++) expect((await listRuns(join(box, 'runs'))).problems[0]?.message).toMatch(/regular file/);
  await expect(readRecordsAfter(run.recordsFile)).rejects.toMatchObject(asPipe);
  await expect(tailOf(run.logFile, 1)).rejects.toMatchObject(asPipe);
  await expect(readPreviews(run, ['a.png'])).rejects.toMatchObject(asPipe);
  await expect(run.versions()).rejects.toMatchObject(asPipe);
  expect(() => new RunLog(run.logFile)).toThrow(/regular file/);
  expect(isLocked(run.lockFile)).toBe(false);
});

test('of the previews of a report those that cannot be shown are skipped with a notice, the others stay', async () => {
  writeFileSync(join(run.previewsFolder, 'good.png'), 'png');
  symlinkSync(secret, join(run.previewsFolder, 'link.png'));
  mkdirSync(join(run.previewsFolder, 'folder.png'));
  const images = [['../../secret.txt', 'link.png', 'folder.png', 'gone.png', 'good.png']];
  const notices: string[] = [];
  const loaded = await loadPreviews(run, [{ step: 0, epoch: 0, phase: '2D', images }], (text) => notices.push(text));
  expect(loaded.map((preview) => preview.images.map((image) => image.views.length))).toEqual([[1]]);
  expect(notices).toHaveLength(3);
  expect(notices[0]).toMatch(/secret\.txt.*not a name/);
});
