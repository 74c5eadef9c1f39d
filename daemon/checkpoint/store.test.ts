import { mkdtemp, open, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UnimissError } from '../../protocol/errors.ts';
import { makeReadOnly, noSmallDisk, onSmallDisk } from '../../test/smallDisk.ts';
import { writeTextAtomically } from '../files/atomic.ts';
import type { TensorSource } from './safetensorsWriter.ts';
import { CheckpointStore } from './store.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'unimiss-store-'));
});
afterEach(() => rm(folder, { recursive: true }));

const state = (value: number, length = 8): TensorSource[] => [
  { name: 'student.a', dtype: 'F32', shape: [length], read: () => new Float32Array(length).fill(value) },
];
const quiet = (message: string): void => {
  throw new Error(`no notice was expected: ${message}`);
};

/** Inverts one byte in the middle of the data. */
async function damage(file: string): Promise<void> {
  const handle = await open(file, 'r+');
  const { size } = await handle.stat();
  const byte = Buffer.alloc(1);
  await handle.read(byte, 0, 1, size - 3);
  byte[0] = byte[0]! ^ 255;
  await handle.write(byte, 0, 1, size - 3);
  await handle.close();
}

const stepsOf = async (store: CheckpointStore): Promise<number[]> => (await store.list()).map((c) => c.step);

const loss = (value: number) => ({ series: 'loss', value, better: 'lower' as const });

describe('a store of checkpoints', () => {
  it('keeps the last ones and the best', async () => {
    const store = new CheckpointStore(folder, { keepLast: 2, keepBest: true });
    const scores = [5, 2, 4, 3, 6];
    for (const [i, score] of scores.entries()) await store.save(i * 10, state(i), {}, loss(score));
    expect(await stepsOf(store)).toEqual([10, 30, 40]);
    expect(await store.best()).toMatchObject({ step: 10, score: loss(2) });
  });

  it('keeps pinned ones until their pins are removed', async () => {
    const store = new CheckpointStore(folder, { keepLast: 1, keepBest: false });
    await store.save(1, state(1), {});
    await store.pin(1, true);
    expect([...(await store.pinned())]).toEqual([1]);
    for (const step of [2, 3]) await store.save(step, state(step), {});
    expect(await stepsOf(store)).toEqual([1, 3]);
    await expect(store.remove([1])).rejects.toThrow('the checkpoint of step 1 is pinned');
    await expect(store.pin(2, true)).rejects.toThrow('this run has no checkpoint of step 2');
    await store.pin(1, false);
    await store.save(4, state(4), {});
    expect(await stepsOf(store)).toEqual([4]);
    expect(await readdir(folder)).toEqual(['step-000000004.safetensors']);
  });

  it('pins never through a link, which would empty what it leads to', async () => {
    const store = new CheckpointStore(folder, { keepLast: 1, keepBest: false });
    await store.save(1, state(1), {});
    const other = join(folder, 'other');
    await writeFile(other, 'mine');
    await symlink(other, store.fileOf(1).replace('.safetensors', '.pinned'));
    await store.pin(1, true);
    expect([...(await store.pinned())]).toEqual([1]);
    await store.pin(1, false);
    expect((await readFile(other)).toString()).toBe('mine');
    expect((await store.pinned()).size).toBe(0);
  });

  it('removes what the run needs no more: not the newest, the best and pinned ones', async () => {
    const store = new CheckpointStore(folder, { keepLast: 9, keepBest: true });
    for (const [i, score] of [5, 2, 4, 3, 6, 7].entries()) await store.save(i, state(i), {}, loss(score));
    await store.pin(3, true);
    await writeFile(`${store.fileOf(0)}.damaged`, 'x');
    const bytes = (await readFile(store.fileOf(0))).length;
    expect(await store.remove()).toEqual({
      removed: [0, 2, 4]
        .map((step) => store.fileOf(step).split('/').at(-1))
        .concat('step-000000000.safetensors.damaged'),
      bytes: 3 * bytes + 1,
    });
    expect(await stepsOf(store)).toEqual([1, 3, 5]);
    await expect(store.remove([1, 5])).rejects.toThrow('step 5 is the newest one');
    expect(await stepsOf(store)).toEqual([1, 3, 5]);
    expect((await store.remove([1])).removed).toEqual(['step-000000001.safetensors']);
    expect(await stepsOf(store)).toEqual([3, 5]);
  });

  it('keeps only the last where the best is not wanted or there is no score', async () => {
    const store = new CheckpointStore(folder, { keepLast: 1, keepBest: false });
    for (const step of [1, 2, 3]) await store.save(step, state(step), {}, loss(step));
    expect(await stepsOf(store)).toEqual([3]);
    const unscored = new CheckpointStore(folder, { keepLast: 1, keepBest: true });
    await unscored.save(4, state(4), {}, loss(Number.NaN));
    await unscored.save(5, state(4), {});
    expect(await stepsOf(unscored)).toEqual([3, 5]);
  });

  it('gives the newest back, with its metadata', async () => {
    const store = new CheckpointStore(folder);
    expect(await store.latestGood(quiet)).toBeUndefined();
    await store.save(7, state(1), { epoch: '0' });
    await store.save(1_234_567_890, state(2), { epoch: '1' });
    const latest = await store.latestGood(quiet);
    expect(latest!.step).toBe(1_234_567_890);
    expect(latest!.tensors.metadata).toMatchObject({ epoch: '1', step: '1234567890' });
    expect((await latest!.tensors.readFloat32('student.a'))[0]).toBe(2);
    await latest!.tensors.close();
  });

  it('takes the one before a damaged one, says so, and sets it aside where asked', async () => {
    const store = new CheckpointStore(folder, { keepLast: 3, keepBest: true });
    for (const step of [1, 2, 3]) await store.save(step, state(step), {});
    await damage(store.fileOf(3));
    await writeFile(store.fileOf(2), 'short');
    const notices: string[] = [];
    const latest = await store.latestGood((m) => notices.push(m));
    expect(latest!.step).toBe(1);
    await latest!.tensors.close();
    expect(notices).toHaveLength(2);
    expect(notices[0]).toMatch(/step 3 cannot be used; trying the previous one.*step-000000003.*damaged/s);
    expect(await stepsOf(store)).toEqual([1, 2, 3]);
    await (await store.latestGood(() => {}, { setAside: true }))!.tensors.close();
    expect(await stepsOf(store)).toEqual([1]);
    expect((await readdir(folder)).filter((name) => name.endsWith('.damaged'))).toHaveLength(2);
  });

  it('refuses where all are damaged, every time, and leaves them where they are', async () => {
    const store = new CheckpointStore(folder);
    for (const step of [1, 2]) await store.save(step, state(step), {});
    for (const step of [1, 2]) await damage(store.fileOf(step));
    for (const _ of ['first', 'second'])
      await expect(store.latestGood(() => {}, { setAside: true })).rejects.toThrow(/all 2 checkpoints are damaged/);
    expect(await stepsOf(store)).toEqual([1, 2]);
  });

  it('keeps the newest of the damaged ones', async () => {
    const store = new CheckpointStore(folder, { keepLast: 4, keepBest: false });
    for (const step of [1, 2, 3]) await store.save(step, state(step), {});
    for (const step of [2, 3]) await damage(store.fileOf(step));
    await (await store.latestGood(() => {}, { setAside: true }))?.tensors.close();
    expect(await store.damaged()).toEqual(['step-000000002.safetensors.damaged', 'step-000000003.safetensors.damaged']);
    await store.save(4, state(4), {});
    expect(await store.damaged()).toEqual(['step-000000003.safetensors.damaged']);
    expect(await stepsOf(store)).toEqual([1, 4]);
  });

  it('keeps the highest score where higher is better, and reads the scores of version 0.1.0 as losses', async () => {
    const store = new CheckpointStore(folder, { keepLast: 1, keepBest: true });
    const dice = (value: number) => ({ series: 'dice', value, better: 'higher' as const });
    await store.save(1, state(1), { score: '0.01' });
    expect(await store.best()).toMatchObject({ step: 1, score: loss(0.01) });
    for (const [i, value] of [0.5, 0.9, 0.7].entries()) await store.save(2 + i, state(i), {}, dice(value));
    expect(await store.best()).toMatchObject({ step: 3, score: dice(0.9) });
    expect(await stepsOf(store)).toEqual([3, 4]);
  });

  it('ignores foreign files and removes what a killed process left', async () => {
    const store = new CheckpointStore(folder);
    await writeFile(join(folder, '.step-000000001.safetensors.99-ab.partial'), 'half');
    await writeFile(join(folder, 'notes.txt'), 'mine');
    await store.save(1, state(1), {});
    expect((await readdir(folder)).sort()).toEqual(['notes.txt', 'step-000000001.safetensors']);
  });

  it('does not prune with a damaged best, and does not fail over it', async () => {
    const store = new CheckpointStore(folder, { keepLast: 1, keepBest: true });
    await store.save(1, state(1), {}, loss(1));
    await writeFile(store.fileOf(1), 'x');
    await store.save(2, state(2), {}, loss(2));
    await store.save(3, state(3), {}, loss(3));
    expect(await stepsOf(store)).toEqual([2, 3]);
  });
});

describe(`disks that refuse${noSmallDisk === undefined ? '' : ` (skipped: ${noSmallDisk})`}`, () => {
  it.skipIf(noSmallDisk !== undefined)('a full disk leaves the last good checkpoint, and no partial file', () =>
    onSmallDisk(folder, '1m', async (disk) => {
      const store = new CheckpointStore(disk);
      await store.save(1, state(1, 150_000), {});
      const before = await readFile(store.fileOf(1));
      const error = await store.save(2, state(2, 150_000), {}).catch((e: unknown) => e);
      expect(error).toBeInstanceOf(UnimissError);
      expect(error).toMatchObject({ code: 'disk' });
      expect((error as Error).message).toMatch(/step-000000002.safetensors: no space is left.*\n.*Free some space/);
      expect(await readdir(disk)).toEqual(['step-000000001.safetensors']);
      expect(await readFile(store.fileOf(1))).toEqual(before);
      const latest = await store.latestGood(quiet);
      expect(latest!.step).toBe(1);
      await latest!.tensors.close();
    }),
  );

  it.skipIf(noSmallDisk !== undefined)('a read-only folder can be read; writing names the remedy', () =>
    onSmallDisk(folder, '1m', async (disk) => {
      const store = new CheckpointStore(disk);
      await store.save(1, state(1), {});
      makeReadOnly(disk);
      await expect(store.save(2, state(2), {})).rejects.toMatchObject({ code: 'disk' });
      await expect(writeTextAtomically(join(disk, 'a'), 'x')).rejects.toThrow(/read-only.*\n.*UNIMISS_RUNS/);
      const latest = await store.latestGood(quiet);
      expect(latest!.step).toBe(1);
      await latest!.tensors.close();
    }),
  );
});
