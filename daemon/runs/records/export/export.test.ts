import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import type { Modality } from '../../../../protocol/modality.ts';
import type {
  EpochRecord,
  EventRecord,
  RunRecord,
  RunSummary,
  StepRecord,
} from '../../../../protocol/records/records.ts';
import { lossTerms, seriesOf } from '../../../../protocol/records/series.ts';
import { recordsToColumns } from '../../../evaluate/series/columns.ts';
import { crc32c } from './crc32c.ts';
import { textOf } from './runText.ts';
import { sparkline } from './sparkline.ts';
import { exportTensorBoard, TensorBoardFile } from './tensorboard.ts';
import { csvOf, jsonOf } from './text.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'unimiss-export-'));
});
afterAll(() => rm(folder, { recursive: true }));

const begin = Date.UTC(2026, 0, 2);
const timeOf = (n: number): string => new Date(begin + n * 1000).toISOString();
const step = (n: number, phase: Modality, loss = 4 - n / 1000): StepRecord => ({
  kind: 'step',
  step: n,
  epoch: Math.floor(n / 10),
  group: phase,
  loss,
  values: {
    ...(phase === '3D' && Object.fromEntries(lossTerms['3D'].map((name) => [`term/${name}`, loss / 4]))),
    ...{ learningRate: 8e-4, weightDecay: 0.04, momentum: 0.996, gradientNorm: 1.5, imagesPerSecond: 10 },
  },
  stepMs: 100,
  waitMs: 1,
  rssMiB: 512,
  time: timeOf(n),
});
const epoch = (n: number, values: EpochRecord['values']): EpochRecord => ({
  kind: 'epoch',
  epoch: n,
  group: '2D',
  step: n * 10 + 9,
  steps: 10,
  loss: 3,
  seconds: 1,
  values,
  warnings: [{ what: 'flat' }],
  time: timeOf(n * 10 + 9),
});
const signs = { teacherEntropy: 5, klToUniform: 1.25, featureStd: 0.125, effectiveRank: 9 };
const series = seriesOf.pretrain;
const finish: EventRecord = { kind: 'event', event: 'finish', message: 'all, "done"\nreally', time: timeOf(20) };
const records: RunRecord[] = [step(0, '2D'), step(1, '2D'), epoch(0, signs), step(10, '3D'), epoch(1, {}), finish];
const run: RunSummary = {
  id: 'chest-1',
  folder: '/runs/chest-1',
  name: 'chest',
  task: 'pretrain',
  state: 'finished',
  preset: 'nano',
  created: timeOf(0),
  epoch: 1,
  epochs: 2,
  step: 10,
  loss: 4,
  losses: { '2D': 4, '3D': 4 },
  updated: timeOf(20),
  from: null,
  score: null,
};

describe('columns', () => {
  const { steps } = recordsToColumns(records);

  it('as CSV are read back by a CSV library', () => {
    const rows: Record<string, string>[] = parse(csvOf(steps), { columns: true });
    expect(rows).toHaveLength(3);
    expect(rows[1]).toMatchObject({ step: '1', loss: '3.999', time: timeOf(1), 'term/volume-volume': '' });
    expect(Number(rows[2]!['term/volume-volume'])).toBe(3.99 / 4);
  });

  it('as CSV have the interval of a value behind it', () => {
    const measured = { ...epoch(2, { ...signs, dice: 0.5 }), intervals: { dice: [0.25, 0.75] as [number, number] } };
    const { epochs } = recordsToColumns([...records, measured]);
    const rows: Record<string, string>[] = parse(csvOf(epochs), { columns: true });
    expect(rows.at(-1)).toMatchObject({ dice: '0.5', 'dice low': '0.25', 'dice high': '0.75' });
    expect(rows[0]).toMatchObject({ dice: '', 'dice low': '', 'dice high': '' });
  });

  it('as JSON hold all that was recorded', () => {
    const read = JSON.parse(jsonOf(run, records));
    expect(read.run).toEqual(run);
    expect(read.steps).toHaveLength(3);
    expect(read.epochs[0].values).toEqual(signs);
    expect(read.events[0].message).toBe(finish.message);
  });

  it('as text have a table for each modality and one for both, with curves, best values and limits', () => {
    const many = Array.from({ length: 5000 }, (_, n) => step(n, n % 4 < 2 ? '2D' : '3D'));
    const limits = [{ value: 2, wrong: 'below', label: 'one direction' }] as const;
    const limited = series.map((one) => (one.key === 'effectiveRank' ? { ...one, limits } : one));
    const text = textOf(run, [...many, ...records, epoch(2, { ...signs, effectiveRank: 3 })], limited, 12);
    const lines = text.split('\n');
    expect(lines.slice(0, 2)).toEqual([
      'chest-1: finished, nano, epoch 2 of 2',
      'Warning signs in 2D since epoch 1. Best mean loss: 3 in 2D (epoch 1).',
    ]);
    expect(lines.length).toBeLessThan(40);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100);
    expect(lines.filter((line) => /^(2D|3D|2D and 3D) /.test(line)).map((line) => line.split('  ')[0])).toEqual([
      ...['2D', '3D', '2D and 3D'],
    ]);
    expect(text).toMatch(/Effective rank, dimensions +█▁ +9\.00 +3\.00 +9\.00 \(epoch 1\) +> 2\.00\n/);
    expect(text).toMatch(/Learning rate +▁+ +8\.00e-4 +8\.00e-4\n/);
    expect(text).toContain('finish   all, "done"\n');
  });

  it('as text of a run without modalities have one table; before the first epoch the loss of the steps', () => {
    const text = textOf(run, [{ ...step(0, '2D'), group: null }], series);
    expect(text).toMatch(/\n\nRun .*first +last/);
    expect(text).toMatch(/Loss, nats +▁ +4\.0000 +4\.0000/);
    expect(textOf(run, [], series)).toBe('chest-1: finished, nano, epoch 2 of 2\n');
  });

  it('as text count what comes with every epoch in one line', () => {
    const event = (name: EventRecord['event'], at: number): EventRecord => ({ ...finish, event: name, step: at });
    const saved = Array.from({ length: 30 }, (_, n) => [event('checkpoint', n * 10), event('preview', n * 10)]).flat();
    const text = textOf(
      run,
      [event('start', 0), ...saved, ...Array.from({ length: 14 }, () => event('notice', 3))],
      series,
    );
    expect(text).toContain('\n  … and 3 earlier\n');
    expect(text).toContain('\n  30 checkpoints, newest at step 290; 30 previews, newest at step 290\n');
  });
});

test.each([
  [[1, 2, 3], 20, '▁▅█'],
  [[5, 5], 20, '▁▁'],
  [[0, Number.NaN, 7], 20, '▁ █'],
  [[0, 2, 4, 6, 7, 7], 3, '▁▆█'],
  [[], 20, ''],
])('%j in %i characters is the line %s', (numbers, width, line) => expect(sparkline(numbers, width)).toBe(line));

/** The tags of the records above in version 0.1.0. */
const tagsOf010 = [
  ...['loss', 'gradientNorm', 'speed/imagesPerSecond', 'speed/stepMs', 'speed/waitMs'].flatMap((tag) => [
    `${tag}/2D`,
    `${tag}/3D`,
  ]),
  ...lossTerms['3D'].map((name) => `terms/${name}`),
  ...['schedule/learningRate', 'schedule/weightDecay', 'schedule/momentum', 'memory/rssMiB', 'epoch/loss/2D'],
  ...['teacherEntropy', 'klToUniform', 'featureStd', 'effectiveRank'].map((sign) => `collapse/${sign}/2D`),
];

describe('TensorBoard', () => {
  it('uses CRC-32C as RFC 3720 defines it', () => {
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
    expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa);
    expect(crc32c(Buffer.alloc(32, 0xff))).toBe(0x62a8ab43);
    expect(crc32c(Buffer.alloc(0))).toBe(0);
  });

  async function* stream(): AsyncGenerator<RunRecord> {
    yield* records;
  }

  it('gets an event file that a reader of the format understands', async () => {
    const file = await exportTensorBoard(stream(), join(folder, 'board'), { run: 'a', series });
    const events = readEvents(await readFile(file));
    expect(events[0]!.get(3)![0]!.toString()).toBe('brain.Event:2');
    const scalars = events.slice(1).flatMap((event) =>
      event.get(5)!.flatMap((summary) =>
        readMessage(summary)
          .get(1)!
          .map((value) => {
            const fields = readMessage(value);
            return {
              wall: event.get(1)![0]!.readDoubleLE(),
              step: event.get(2)![0]!.readUInt32LE(),
              tag: fields.get(1)![0]!.toString(),
              value: fields.get(2)![0]!.readFloatLE(),
            };
          }),
      ),
    );
    const find = (tag: string) => scalars.filter((s) => s.tag === tag);
    expect(find('loss/2D')).toEqual([
      { wall: begin / 1000, step: 0, tag: 'loss/2D', value: 4 },
      { wall: begin / 1000 + 1, step: 1, tag: 'loss/2D', value: Math.fround(3.999) },
    ]);
    expect(find('loss/3D').map((s) => s.step)).toEqual([10]);
    expect(find('terms/volume-slices')).toHaveLength(1);
    expect(find('terms/image-image')).toHaveLength(0);
    expect(find('collapse/effectiveRank/2D').map((s) => [s.step, s.value])).toEqual([[9, 9]]);
    expect(find('schedule/learningRate')).toHaveLength(3);
    expect([...new Set(scalars.map((s) => s.tag))].sort()).toEqual([...tagsOf010, 'epoch/seconds/2D'].sort());
  });

  it('names numbers that the catalogue does not list by their keys, without a group where there is none', async () => {
    const board = await TensorBoardFile.open(join(folder, 'unlisted'), { run: 'a', series, writer: 'train' });
    board.append({ ...step(0, '2D'), group: null, values: { dice: 0.5 } });
    board.close();
    const tags = (await readFile(board.file)).toString('latin1');
    expect(tags).toMatch(/dice(?!\/)/);
    expect(tags).toMatch(/speed\/stepMs(?!\/)/);
    expect(tags).not.toContain('{group}');
  });

  it('holds step numbers beyond 32 bits', async () => {
    const board = await TensorBoardFile.open(join(folder, 'late'), { run: 'a', series, writer: 'train' });
    board.append({ ...step(0, '2D'), step: 2 ** 40 + 300 });
    board.close();
    const [, event] = readEvents(await readFile(board.file));
    expect(event!.get(2)![0]!.readBigUInt64LE()).toBe(2n ** 40n + 300n);
  });

  it('starts anew after a resume, and leaves foreign files alone', async () => {
    const inner = join(folder, 'anew');
    const trains = { run: 'a', series, writer: 'train', alone: true } as const;
    const first = await TensorBoardFile.open(inner, { ...trains, wallTime: 1000 });
    first.close();
    const foreign = ['notes.txt', 'events.out.tfevents.1.host.7', 'events.out.tfevents.1.host.7.0.v2'];
    for (const name of foreign) await writeFile(join(inner, name), 'tag of another program');
    const second = await TensorBoardFile.open(inner, { ...trains, wallTime: 2000 });
    second.close();
    expect((await readdir(inner)).sort()).toEqual([basename(second.file), ...foreign].sort());
  });

  it('replaces its own export, and neither files of others, nor other runs, nor the file of a run that trains', async () => {
    const shared = join(folder, 'shared');
    const live = await TensorBoardFile.open(shared, { run: 'a', series, writer: 'train', wallTime: 1000 });
    const old = await TensorBoardFile.open(shared, { run: 'a', series, writer: 'export', wallTime: 1000 });
    old.close();
    const other = await exportTensorBoard(stream(), shared, { run: 'b', series });
    const foreign = join(shared, 'events.out.tfevents.1.host.7');
    await writeFile(foreign, 'tag of another program');
    const fresh = await exportTensorBoard(stream(), shared, { run: 'a', series });
    live.append(step(0, '2D'));
    live.close();
    const left = [live.file, other, foreign, fresh].map((file) => basename(file));
    expect((await readdir(shared)).sort()).toEqual(left.sort());
    expect(readEvents(await readFile(live.file))).toHaveLength(2);
  });

  it('replaces in the own folder of the run also what version 0.1.0 wrote', async () => {
    const own = join(folder, 'own');
    const made = await exportTensorBoard(stream(), own, { run: 'a', series });
    await rename(made, join(own, 'events.out.tfevents.1700000000.host.7'));
    const file = await exportTensorBoard(stream(), own, { run: 'a', series, alone: true });
    expect(await readdir(own)).toEqual([basename(file)]);
  });

  const python = process.env.UNIMISS_PYTHON ?? 'python3';
  const hasTensorBoard = (() => {
    try {
      execFileSync(python, ['-c', 'import tensorboard'], { stdio: 'pipe' });
      return true;
    } catch {
      return false;
    }
  })();

  it.skipIf(!hasTensorBoard)('reads it itself', async () => {
    await exportTensorBoard(stream(), join(folder, 'itself'), { run: 'a', series });
    const code = `
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
a = EventAccumulator(${JSON.stringify(join(folder, 'itself'))}); a.Reload()
print([(e.step, round(e.value, 3), e.wall_time) for e in a.Scalars('loss/2D')], len(a.Tags()['scalars']))`;
    const read = execFileSync(python, ['-c', code], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    expect(read.trim()).toBe(`[(0, 4.0, ${begin / 1000}.0), (1, 3.999, ${begin / 1000 + 1}.0)] 24`);
  });
});

/** CRC-32C bit by bit, independent of the writer's table. */
function slowCrc(bytes: Uint8Array): number {
  let crc = 0xffffffffn;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ 0x82f63b78n : crc >> 1n;
  }
  const value = crc ^ 0xffffffffn;
  return Number((((value >> 15n) | (value << 17n)) + 0xa282ead8n) & 0xffffffffn);
}

/** The events of a TFRecord file, their frames checked. */
function readEvents(file: Buffer): Map<number, Buffer[]>[] {
  const events = [];
  for (let at = 0; at < file.length; ) {
    const length = Number(file.readBigUInt64LE(at));
    expect(file.readUInt32LE(at + 8)).toBe(slowCrc(file.subarray(at, at + 8)));
    const content = file.subarray(at + 12, at + 12 + length);
    expect(file.readUInt32LE(at + 12 + length)).toBe(slowCrc(content));
    events.push(readMessage(content));
    at += 16 + length;
  }
  return events;
}

/** The fields of a protobuf message by their number; varints as 8 bytes, little-endian. */
function readMessage(message: Buffer): Map<number, Buffer[]> {
  const fields = new Map<number, Buffer[]>();
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = message[at++]!;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  while (at < message.length) {
    const key = Number(varint());
    let content: Buffer;
    if ((key & 7) === 0) {
      content = Buffer.alloc(8);
      content.writeBigUInt64LE(varint());
    } else {
      const length = { 1: 8, 5: 4 }[key & 7] ?? Number(varint());
      content = message.subarray(at, at + length);
      at += length;
    }
    fields.set(key >> 3, [...(fields.get(key >> 3) ?? []), content]);
  }
  return fields;
}
