import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { dicomFixture } from './formats/dicom/dicom.fixture.ts';
import { VolumeReader } from './volumes.ts';

const dir = mkdtempSync(join(tmpdir(), 'series-'));
afterAll(() => rmSync(dir, { recursive: true }));

it('a DICOM series is resampled once; its copy is used until a file of the series changes', async () => {
  const series = join(dir, 'series');
  mkdirSync(series);
  const write = (k: number, value: number) => {
    const values = Array.from({ length: 64 }, () => value);
    const spec = {
      rows: 8,
      columns: 8,
      position: [0, 0, 6 * k],
      number: k + 1,
      values,
      intercept: -1024,
      sliceSpacing: 1,
    };
    writeFileSync(join(series, `IM${k}`), dicomFixture(spec));
  };
  for (const k of [0, 1, 2]) write(k, 100);
  const reader = new VolumeReader({ spacing: [3, 2, 3], cache: join(dir, 'cache') });
  const read = async () => {
    const told: string[] = [];
    const { shape, data } = await reader.read(series, ({ kind, message }) => told.push(`${kind}: ${message}`));
    return { shape, value: data[0], told };
  };
  const first = await read();
  expect(first.shape).toEqual([6, 8, 8]);
  expect(first.value).toBe(100 - 1024);
  expect(first.told[0]).toBe('slices: says 1 mm between slices, but their positions are 6 mm apart, which counts');
  const again = await read();
  expect(again.value).toBe(first.value);
  expect(again.told).toEqual([
    first.told[0],
    expect.stringContaining('the resampled copy from an earlier reading is used'),
  ]);
  write(2, 500);
  expect((await read()).value).toBe(500 - 1024);
});
