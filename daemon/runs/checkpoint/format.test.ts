import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { JsonObject } from '../../../protocol/json.ts';
import { SafetensorsFile } from '../../checkpoint/safetensorsReader.ts';
import { writeSafetensors } from '../../checkpoint/safetensorsWriter.ts';
import type { SavedState } from '../../train/training.ts';
import { packCheckpoint, readHead, unpackCheckpoint } from './format.ts';

const folder = mkdtempSync(join(tmpdir(), 'unimiss-format-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Opens a checkpoint with this metadata, and closes it afterwards. */
async function withCheckpoint<T>(metadata: Record<string, string>, use: (file: SafetensorsFile) => T): Promise<T> {
  const path = join(folder, 'step.safetensors');
  await writeSafetensors(path, [{ name: 'a', dtype: 'F32', shape: [1], read: () => Float32Array.of(3) }], metadata);
  const file = await SafetensorsFile.open(path);
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

test('what was packed comes back, with the seconds of the unfinished epoch', async () => {
  let loaded: { a: number | undefined; counters: JsonObject } | undefined;
  const state: SavedState = {
    tensors: () => [{ name: 'a', shape: [1], read: () => Float32Array.of(3) }],
    counters: () => ({ counts: { shared: 4 } }),
    load: async (read, counters) => {
      loaded = { a: (await read('a'))?.[0], counters };
    },
  };
  const { tensors, metadata } = packCheckpoint('pretrain', state, { step: 4, epochSeconds: 1.5 });
  expect(tensors.map(({ name }) => name)).toEqual(['a']);
  const position = await withCheckpoint(metadata, (file) => unpackCheckpoint(file, 'pretrain', state));
  expect(position).toEqual({ step: 4, epochSeconds: 1.5 });
  expect(loaded).toEqual({ a: 3, counters: { counts: { shared: 4 } } });
});

test('a checkpoint of version 0.1.0 is read as one of pre-training', async () => {
  const meter = { steps: 2, loss: 3, entropy: 1, kl: 1, seconds: 7 };
  const counters = JSON.stringify({ step: 2, counts: { shared: 2, volume: 0, lastLayer: 0 }, meter });
  await withCheckpoint({ format: 'unimiss-pretraining-1', counters }, (file) => {
    expect(readHead(file, 'pretrain')).toMatchObject({ position: { step: 2, epochSeconds: 7 }, counters: { meter } });
    expect(() => readHead(file, 'finetune')).toThrow(/of task "pretrain", not "finetune"/);
  });
});

test.each([
  [
    { format: 'unimiss-checkpoint-3', task: 'pretrain', counters: '{"step":1}' },
    /format "unimiss-checkpoint-3", which/,
  ],
  [{ counters: '{"step":1}' }, /is not a checkpoint of a run/],
  [{ format: 'unimiss-checkpoint-2', task: 'finetune', counters: '{"step":1}' }, /of task "finetune", not "pretrain"/],
  [{ format: 'unimiss-checkpoint-2', task: 'pretrain', counters: 'no' }, /counters cannot be read/],
])('%o is refused with a sentence', async (metadata, message) => {
  await withCheckpoint(metadata, (file) => {
    expect(() => readHead(file, 'pretrain')).toThrow(message);
    expect(() => readHead(file, 'pretrain')).toThrow(/Use (another|a) checkpoint/);
  });
});
