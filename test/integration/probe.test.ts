import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import type { PretrainInput } from '../../protocol/config/pretrain/index.ts';
import type { EpochRecord } from '../../protocol/records/records.ts';
import { afterStep, expectSameAfter, unbrokenRun } from './killAndResume.ts';
import { picturesWithClasses, volumesWithClasses } from './labelledPhantoms.ts';
import {
  differing,
  fewPhantoms,
  newestTensors,
  numbersOf,
  onlyRun,
  recordsOf,
  smallConfig,
  temporaryFolder,
  unimiss,
  writeConfig,
} from './trainer.ts';

const epochsOf = (run: string) => recordsOf(run).filter((record): record is EpochRecord => record.kind === 'epoch');

let plain: PretrainInput;
let pictures: string;
let volumes: string;
beforeAll(async () => {
  const folder = temporaryFolder('probe-images');
  plain = smallConfig(await fewPhantoms(join(folder, 'unlabelled'), 2, 4), (config) => {
    config.train = { ...config.train, epochs: 3 };
  });
  pictures = picturesWithClasses(join(folder, 'pictures'), 8);
  volumes = await volumesWithClasses(join(folder, 'volumes'), 8);
});

test('features are measured on labelled images when it is due, also behind a kill, and the training stays the same', async () => {
  const unbroken = await unbrokenRun({ ...plain, probe: { data: [pictures, volumes], everyEpochs: 2 } });
  const keys = ['knn/2D', 'knn/3D', 'linearProbe/2D', 'linearProbe/3D'];
  const measured = epochsOf(unbroken.run).map(({ values }) => keys.map((key) => values[key]));
  expect(measured.map((own) => own.every((value) => value !== undefined))).toEqual([false, true, true]);
  for (const value of measured.slice(1).flat()) {
    expect(value).toBeGreaterThanOrEqual(0);
    expect(value).toBeLessThanOrEqual(1);
  }
  const told = recordsOf(unbroken.run).flatMap((record) => (record.kind === 'event' ? [record.message] : []));
  expect(told.join('\n')).toMatch(/measured on 8 2D images of 4 classes, in 5 folds by patient\. .* gives 25 %/);

  const folder = temporaryFolder('without-probe');
  const without = await unimiss(folder, ['pretrain', writeConfig(folder, plain), '--foreground']);
  expect(without.code, without.stderr).toBe(0);
  const run = onlyRun(folder);
  expect(differing(await newestTensors(run), await newestTensors(unbroken.run))).toEqual([]);
  const unprobed = (records: unknown) =>
    JSON.parse(JSON.stringify(records), (key, value) => (keys.includes(key) ? undefined : value));
  expect(unprobed(numbersOf(recordsOf(unbroken.run)))).toEqual(numbersOf(recordsOf(run)));
  expect(readFileSync(join(run, 'records.jsonl'), 'utf8')).not.toContain('knn');

  const last = epochsOf(unbroken.run)[2]?.step ?? 0;
  expect(await expectSameAfter(unbroken, [afterStep(last - 1)])).toBe(1);
}, 240_000);

test('what is no labelled set of images is refused before anything is computed', async () => {
  const own = temporaryFolder('probe-refused');
  const refused = async (data: string | string[]) => {
    const config = { ...plain, probe: { data } };
    const { code, stderr } = await unimiss(own, ['pretrain', writeConfig(own, config), '--foreground']);
    expect(code).not.toBe(0);
    return stderr;
  };
  expect(await refused(join(own, 'nowhere.csv'))).toMatch(/nowhere\.csv/);
  expect(await refused([pictures, pictures])).toMatch(/is a second set of 2D images/);
}, 120_000);
