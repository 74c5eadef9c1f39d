import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { trashDays } from '../../../protocol/runs/messages.ts';
import { makeRun } from '../../../test/daemon/runs.ts';
import { lockRun } from '../folder/lock.ts';
import { Supervisor } from './supervisor.ts';
import { emptyTrash, moveToTrash } from './trash.ts';

const day = 24 * 60 * 60 * 1000;
const now = new Date('2026-03-31T12:00:00Z');
const ago = (days: number) => new Date(now.getTime() - days * day);

let root: string;
let trash: string;
let said: string[];
const log = (_: string, message: string) => said.push(message);
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'unimiss-trash-'));
  trash = join(root, '.trash');
  said = [];
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const supervisor = new Supervisor({
  trainer: { file: 'none', args: [] },
  trainers: '/none',
  onChange: () => {},
  log: () => {},
});
const deleted = async (name: string, when: Date) => moveToTrash(await makeRun(root, name, 10), supervisor, when);

it('keeps a deleted run for its time, and no longer', async () => {
  const old = await deleted('old', ago(trashDays + 0.001));
  const young = await deleted('young', ago(trashDays - 0.001));
  const future = await deleted('future', ago(-100));
  await emptyTrash(root, now, log);
  expect([old, young, future].map((folder) => existsSync(join(folder, 'run.json')))).toEqual([false, true, true]);
  expect(said).toHaveLength(1);
  expect(said[0]).toContain(old);
  await emptyTrash(root, now, log);
  expect(readdirSync(trash)).toHaveLength(2);
});

it('never removes what is younger, whatever the times of its files', () =>
  fc.assert(
    fc.asyncProperty(fc.array(fc.double({ min: -40, max: 80, noNaN: true }), { maxLength: 6 }), async (ages) => {
      rmSync(trash, { recursive: true, force: true });
      mkdirSync(trash);
      const folders = ages.map((age, i) => {
        const stamp = ago(age).toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-');
        const folder = join(trash, `run-${i}-deleted-${stamp}`);
        mkdirSync(folder);
        utimesSync(folder, 0, 0);
        return folder;
      });
      await emptyTrash(root, now, log);
      // The name counts whole seconds.
      const second = 1 / 86_400;
      for (const [i, age] of ages.entries()) {
        if (age < trashDays - second) expect(existsSync(folders[i]!)).toBe(true);
        if (age > trashDays + second) expect(existsSync(folders[i]!)).toBe(false);
      }
    }),
    { numRuns: 50 },
  ));

it('follows no link, and leaves alone what it did not put there', async () => {
  const kept = join(root, 'kept');
  mkdirSync(kept);
  writeFileSync(join(kept, 'weights'), '1');
  const old = await deleted('old', ago(99));
  symlinkSync(kept, join(old, 'link'));
  symlinkSync(kept, join(trash, 'linked-deleted-20200101-000000'));
  mkdirSync(join(trash, 'put here by hand'));
  writeFileSync(join(trash, 'file-deleted-20200101-000000'), '');
  await emptyTrash(root, now, log);
  expect(existsSync(old)).toBe(false);
  expect(readdirSync(kept)).toEqual(['weights']);
  expect(readdirSync(trash).sort()).toEqual([
    'file-deleted-20200101-000000',
    'linked-deleted-20200101-000000',
    'put here by hand',
  ]);
});

it('does not go into a trash that is a link', async () => {
  const elsewhere = join(root, 'elsewhere');
  mkdirSync(join(elsewhere, 'run-deleted-20200101-000000'), { recursive: true });
  symlinkSync(elsewhere, trash);
  expect(await emptyTrash(root, now, log)).toEqual([]);
  expect(readdirSync(elsewhere)).toHaveLength(1);
});

it('leaves a run that is being trained where it is', async () => {
  const old = await deleted('old', ago(99));
  const lock = await lockRun(join(old, 'lock'));
  expect(await emptyTrash(root, now, log)).toEqual([]);
  lock.release();
  expect(await emptyTrash(root, now, log)).toHaveLength(1);
});

it('finishes what it was doing when it was killed', async () => {
  mkdirSync(join(trash, 'run-deleted-20200101-000000.removing'), { recursive: true });
  await emptyTrash(root, now, log);
  expect(readdirSync(trash)).toEqual([]);
});

it('has nothing to do where there is no trash', async () => {
  expect(await emptyTrash(join(root, 'nowhere'), now, log)).toEqual([]);
  expect(said).toEqual([]);
});
