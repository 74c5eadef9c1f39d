import { writeFileSync } from 'node:fs';
import { appendFile, mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UnimissError } from '../../../protocol/errors.ts';
import type { EpochRecord, EventRecord, RunRecord, StepRecord } from '../../../protocol/records/records.ts';
import { bundleChild, Child } from '../../../test/child.ts';
import { noSmallDisk, onSmallDisk } from '../../../test/smallDisk.ts';
import { readAllRecords, readLastRecords } from './readRecords.ts';
import { RecordLog } from './recordLog.ts';

let folder: string;
let count = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'unimiss-records-'));
});
afterAll(() => rm(folder, { recursive: true }));
const newFile = (): string => join(folder, `records-${count++}.jsonl`);

const time = '2026-01-02T03:04:05.000Z';
const step = (n: number, loss = 5 - n / 100): StepRecord => ({
  kind: 'step',
  step: n,
  epoch: Math.floor(n / 5),
  group: '2D',
  loss,
  values: { learningRate: 1e-4, weightDecay: 0.04, momentum: 0.996, gradientNorm: 2, imagesPerSecond: 8 },
  stepMs: 500,
  waitMs: 1,
  rssMiB: 700,
  time,
});
const epoch = (n: number, last: number): EpochRecord => ({
  kind: 'epoch',
  epoch: n,
  group: '2D',
  step: last,
  steps: 5,
  loss: 4,
  seconds: 3,
  values: {},
  warnings: [],
  time,
});
const event = (name: EventRecord['event'], message: string, at?: number): EventRecord => ({
  kind: 'event',
  event: name,
  message,
  time,
  ...(at === undefined ? {} : { step: at }),
});

const fail = (message: string): void => {
  throw new Error(message);
};
const allOf = (file: string): Promise<RunRecord[]> => readAllRecords(file, fail);

function write(file: string, records: readonly RunRecord[]): void {
  const log = RecordLog.open(file);
  for (const record of records) log.append(record);
  log.close();
}

describe('records.jsonl', () => {
  it('returns what was appended, one line per record', async () => {
    const file = newFile();
    const records = [event('start', 'line\nbreak "ü" \u2028'), step(0), step(1), epoch(0, 1), event('finish', 'done')];
    write(file, records);
    expect(await allOf(file)).toEqual(records);
    expect((await readFile(file, 'utf8')).split('\n')).toHaveLength(6);
  });

  it('cut at any byte, continues after its last whole record', async () => {
    const records = [event('start', 'größe'), ...[0, 1, 2].map((n) => step(n)), epoch(0, 2), event('broken', 'x.nii')];
    const whole = newFile();
    write(whole, records);
    const text = await readFile(whole);
    const ends = [...text.entries()].flatMap(([at, byte]) => (byte === 10 ? [at + 1] : []));
    const file = newFile();
    await fc.assert(
      fc.asyncProperty(fc.nat(text.length), async (length) => {
        await writeFile(file, text.subarray(0, length));
        const kept = ends.filter((end) => end <= length).length;
        expect(await allOf(file)).toEqual(records.slice(0, kept));
        const log = RecordLog.open(file);
        expect(log.cutBytes).toBe(length - (ends[kept - 1] ?? 0));
        log.append(step(9));
        log.close();
        expect(await allOf(file)).toEqual([...records.slice(0, kept), step(9)]);
      }),
      { numRuns: 200 },
    );
  });

  it('loses the zeros that a power cut leaves, even with a line break behind', async () => {
    const file = newFile();
    write(file, [step(0), step(1)]);
    await appendFile(file, Buffer.concat([Buffer.alloc(100_000), Buffer.from('\n{"kind":\n'), Buffer.alloc(10)]));
    const log = RecordLog.open(file);
    expect(log.cutBytes).toBe(100_020);
    log.close();
    expect(await allOf(file)).toEqual([step(0), step(1)]);
  });

  it('survives SIGKILL at any moment: a prefix of what was appended, and nothing torn', async () => {
    const script = await bundleChild(
      `import { RecordLog } from './daemon/runs/records/recordLog.ts';
       const log = RecordLog.open(process.argv[2]!);
       const step = ${JSON.stringify(step(0))} as never as import('./protocol/records/records.ts').StepRecord;
       const write = (n: number) => {
         for (let i = 0; i < 50; i++) log.append({ ...step, step: n + i });
         if (n === 0) console.log('writing');
         setImmediate(write, n + 50);
       };
       write(0);`,
      folder,
    );
    for (let round = 0; round < 3; round++) {
      const file = newFile();
      const child = Child.start(script, [file]);
      await child.line();
      expect(await child.kill('SIGKILL')).toBe('SIGKILL');
      const log = RecordLog.open(file);
      log.append(step(1));
      log.close();
      const records = await allOf(file);
      expect(records.length).toBeGreaterThan(50);
      records.slice(0, -1).forEach((record, i) => {
        expect((record as StepRecord).step).toBe(i);
      });
    }
  });

  it('refuses a record that JSON cannot hold', async () => {
    const file = newFile();
    const log = RecordLog.open(file);
    expect(() => log.append(step(0, Number.NaN))).toThrow(UnimissError);
    log.append(step(0));
    log.close();
    expect(await allOf(file)).toEqual([step(0)]);
  });

  it.skipIf(noSmallDisk !== undefined)('stays whole on a full disk, and says that it is full', () =>
    onSmallDisk(folder, '64k', async (disk) => {
      const file = join(disk, 'records.jsonl');
      const log = RecordLog.open(file);
      let written = 0;
      expect(() => {
        for (; written < 1000; written++) log.append(step(written));
      }).toThrow(/no space is left/);
      log.close();
      expect(await readFile(file, 'utf8')).toMatch(/\}\n$/);
      expect(await allOf(file)).toHaveLength(written);
    }),
  );
});

describe('cutting for a resume', () => {
  const records = [
    event('start', 'start'),
    ...[0, 1, 2, 3, 4].map((n) => step(n)),
    epoch(0, 4),
    event('checkpoint', 'a', 5),
    event('notice', 'before'),
    step(5),
    step(6),
    event('checkpoint', 'late', 5),
    event('broken', 'behind'),
    event('preview', 'p', 7),
    epoch(1, 6),
  ];

  it("keeps what belongs to the checkpoint's steps", async () => {
    const file = newFile();
    write(file, records);
    const log = RecordLog.open(file);
    const kept: RunRecord[] = [];
    expect(await log.cutAfter(5, (record) => kept.push(record))).toBe(5);
    expect(kept).toEqual([...records.slice(0, 9), records[11]]);
    log.append(event('resume', 'again', 5));
    log.append(step(5));
    log.close();
    expect(await allOf(file)).toEqual([...records.slice(0, 9), records[11], event('resume', 'again', 5), step(5)]);
  });

  it('takes back the preview of the step that comes next, and nothing else with it', async () => {
    const file = newFile();
    const before = [step(0), event('checkpoint', 'a', 1)];
    const after = [event('error', 'it broke')];
    write(file, [...before, event('preview', 'of step 1', 1), ...after]);
    const log = RecordLog.open(file);
    expect(await log.cutAfter(1)).toBe(1);
    log.close();
    expect(await allOf(file)).toEqual([...before, ...after]);
  });

  it('keeps lines of other versions before the cut, and drops those behind', async () => {
    const file = newFile();
    await writeFile(file, `{"kind":"future"}\n${JSON.stringify(step(0))}\n${JSON.stringify(step(1))}\nnonsense\n{}\n`);
    const log = RecordLog.open(file);
    expect(await log.cutAfter(1)).toBe(3);
    log.close();
    expect(await readFile(file, 'utf8')).toBe(`{"kind":"future"}\n${JSON.stringify(step(0))}\n`);
  });

  it('touches nothing where there is nothing behind', async () => {
    const file = newFile();
    write(file, records);
    const before = (await stat(file)).ino;
    const log = RecordLog.open(file);
    expect(await log.cutAfter(8)).toBe(0);
    log.close();
    expect((await stat(file)).ino).toBe(before);
  });

  it('leaves steps 0 to n − 1, whatever n', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(12), async (n) => {
        const file = newFile();
        write(file, [event('start', 's'), ...Array.from({ length: 10 }, (_, i) => step(i))]);
        const log = RecordLog.open(file);
        await log.cutAfter(n);
        log.close();
        const steps = (await allOf(file)).flatMap((r) => (r.kind === 'step' ? [r.step] : []));
        expect(steps).toEqual(Array.from({ length: Math.min(n, 10) }, (_, i) => i));
      }),
      { numRuns: 20 },
    );
  });
});

describe('reading', () => {
  it('names lines that are no records, and continues', async () => {
    const file = newFile();
    await writeFile(file, `${JSON.stringify(step(0))}\n{"kind":"future"}\nnonsense\n${JSON.stringify(step(1))}\n`);
    const notices: string[] = [];
    expect(await readAllRecords(file, (m) => notices.push(m))).toEqual([step(0), step(1)]);
    expect(notices.map((m) => m.slice(file.length, file.length + 3))).toEqual([':2:', ':3:']);
  });

  it('gives nothing for a run without records', async () => {
    expect(await allOf(join(folder, 'none.jsonl'))).toEqual([]);
    expect(await readLastRecords(join(folder, 'none.jsonl'), 100)).toEqual({ records: [], all: true });
  });

  it('reads the end of a long file', async () => {
    const file = newFile();
    write(
      file,
      Array.from({ length: 1000 }, (_, n) => step(n)),
    );
    const { records, all } = await readLastRecords(file, 10_000);
    expect(all).toBe(false);
    expect(records.length).toBeGreaterThan(10);
    expect(records.at(-1)).toEqual(step(999));
    await truncate(file, (await stat(file)).size - 1);
    expect((await readLastRecords(file, 10_000)).records.at(-1)).toEqual(step(998));
  });
});

describe('a run that version 0.1.0 began', () => {
  const earlier = (n: number) =>
    JSON.stringify({
      ...{ kind: 'step', step: n, epoch: 0, phase: '3D', loss: 4, terms: [1, 1, 1, 1], learningRate: 1e-4 },
      ...{ weightDecay: 0.04, momentum: 0.996, gradientNorm: 2, imagesPerSecond: 8 },
      ...{ stepMs: 500, waitMs: 1, rssMiB: 700, time },
    });

  it('is cut and resumed with records of both formats in one file', async () => {
    const file = newFile();
    writeFileSync(file, [0, 1, 2].map((n) => `${earlier(n)}\n`).join(''));
    const log = RecordLog.open(file);
    expect(log.cutBytes).toBe(0);
    expect(await log.cutAfter(2)).toBe(1);
    log.append(step(2));
    log.close();
    const records = await allOf(file);
    expect(records.map((r) => r.kind === 'step' && [r.step, r.group, r.values['term/slices-slices']])).toEqual([
      [0, '3D', 1],
      [1, '3D', 1],
      [2, '2D', undefined],
    ]);
  });
});
