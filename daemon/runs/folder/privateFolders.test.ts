import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeRun } from '../../../test/daemon/runs.ts';
import { listRuns } from '../records/list.ts';
import { closeToOthers } from './privateFolders.ts';

const NOBODY = 65534;
const isRoot = process.getuid?.() === 0;

let box: string;
let root: string;
let umask: number;
beforeEach(() => {
  umask = process.umask(0o022);
  box = mkdtempSync(join(tmpdir(), 'unimiss-private-'));
  chmodSync(box, 0o755);
  root = join(box, 'runs');
});
afterEach(() => {
  process.umask(umask);
  rmSync(box, { recursive: true });
});

const fail = (message: string): never => {
  throw new Error(message);
};
const mode = (path: string) => (statSync(path).mode & 0o7777).toString(8);
const close = () => closeToOthers(root, fail);

it('only the user can access a folder of runs and each run', async () => {
  const run = await makeRun(root, 'ct', 10);
  expect([mode(root), mode(run.folder)]).toEqual(['700', '700']);
});

/** Whether the user `nobody` can read a file. The process starts in `box`, since `nobody` may not enter the folders above. */
const readByNobody = (file: string) =>
  spawnSync('cat', [relative(box, file)], { cwd: box, uid: NOBODY, gid: NOBODY }).status === 0;

describe.skipIf(!isRoot)('another user (needs root, to become one)', () => {
  it('can read what everybody can read, and no preview of a run', async () => {
    const run = await makeRun(root, 'ct', 10);
    const preview = join(run.previewsFolder, 'e00000-2D-image0-view1.png');
    writeFileSync(preview, 'a patient');
    writeFileSync(join(box, 'open'), '');
    expect(readByNobody(join(box, 'open'))).toBe(true);
    expect(readByNobody(preview)).toBe(false);
    expect(readByNobody(join(run.folder, 'config.resolved.json'))).toBe(false);
  });

  it('is shut out of earlier runs as soon as a command lists them', async () => {
    const run = await makeRun(root, 'ct', 10);
    for (const folder of [root, run.folder]) chmodSync(folder, 0o755);
    expect(readByNobody(join(run.folder, 'run.json'))).toBe(true);
    expect((await listRuns(root)).runs).toHaveLength(1);
    expect(readByNobody(join(run.folder, 'run.json'))).toBe(false);
    expect([mode(root), mode(run.folder)]).toEqual(['700', '700']);
  });

  it('keeps the mode of a folder that is theirs', async () => {
    const run = await makeRun(root, 'ct', 10);
    spawnSync('chown', ['-R', String(NOBODY), root]);
    for (const folder of [root, run.folder]) chmodSync(folder, 0o755);
    await close();
    expect([mode(root), mode(run.folder)]).toEqual(['755', '755']);
  });
});

it.each([
  [0o770, '770', '770'],
  [0o750, '750', '750'],
  [0o2775, '2770', '2770'],
])('a group that may enter on purpose stays, others go (case %#)', async (given, ofRoot, ofRun) => {
  mkdirSync(root);
  chmodSync(root, given);
  const run = await makeRun(root, 'ct', 10);
  expect(mode(run.folder)).toBe(ofRun);
  chmodSync(run.folder, (given & 0o2000) | 0o775);
  await close();
  expect([mode(root), mode(run.folder)]).toEqual([ofRoot, ofRun]);
});

it('a folder with other content keeps its mode; its runs are closed to others', async () => {
  mkdirSync(join(root, 'thesis'), { recursive: true });
  const run = await makeRun(root, 'ct', 10);
  chmodSync(run.folder, 0o755);
  await close();
  expect([mode(root), mode(run.folder), mode(join(root, 'thesis'))]).toEqual(['755', '700', '755']);
});

it('without a folder, nothing is made', async () => {
  await close();
  expect(() => statSync(root)).toThrow(/ENOENT/);
});
