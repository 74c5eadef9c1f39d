import { appendFileSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { SafetensorsFile } from '../../daemon/checkpoint/safetensorsReader.ts';
import { CheckpointStore } from '../../daemon/checkpoint/store.ts';
import { makeReadOnly, noSmallDisk, onSmallDisk } from '../smallDisk.ts';
import {
  Cli,
  fewPhantoms,
  onlyRun,
  recordsOf,
  runNames,
  smallConfig,
  temporaryFolder,
  unimiss,
  writeConfig,
} from './trainer.ts';

let manifest: string;
beforeAll(async () => {
  manifest = await fewPhantoms(temporaryFolder('phantoms'));
});

/** A folder with the good phantoms and one broken file made by `spoil` from a good one. */
function imagesWith(spoil: (good: Buffer) => Buffer, from: string, as: string): string {
  const folder = temporaryFolder('images');
  const source = dirname(manifest);
  for (const line of readFileSync(manifest, 'utf8').trim().split('\n').slice(1)) {
    const path = line.split(',')[0]!;
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    copyFileSync(join(source, path), join(folder, path));
  }
  writeFileSync(join(folder, as), spoil(readFileSync(join(source, from))));
  return folder;
}

const volume = 'volumes/0001.nii.gz';
const kinds: [kind: string, file: string, spoil: (good: Buffer) => Buffer, reason: RegExp][] = [
  ['truncated gz', 'broken.nii.gz', (b) => b.subarray(0, b.length / 2), /truncated|ends|incomplete/i],
  ['zero bytes', 'broken.nii', () => Buffer.alloc(0), /empty/],
  ['a text named .nii', 'broken.nii', () => Buffer.from('Patient said hello.\n'.repeat(30)), /text/],
  ['half a PNG', 'broken.png', (b) => b.subarray(0, b.length / 2), /PNG|truncated|ends/i],
];

test.each(kinds)(
  '%s is named with the reason, and the run goes on without it where that is allowed',
  async (_, file, spoil, reason) => {
    const folder = temporaryFolder('broken');
    const from = file.endsWith('.png') ? 'images/0001.png' : volume;
    const config = smallConfig('', (c) => {
      c.data = { paths: imagesWith(spoil, from, file), maxBroken: 0.2 };
      c.train = { ...c.train, epochs: 2 };
    });
    const { code, stderr } = await unimiss(folder, ['pretrain', writeConfig(folder, config)]);
    expect(code, stderr).toBe(0);
    const broken = recordsOf(onlyRun(folder)).filter((r) => r.kind === 'event' && r.event === 'broken');
    expect(broken).toHaveLength(1);
    expect(broken[0]).toMatchObject({ file, message: expect.stringMatching(reason) });
    expect(stderr).toContain(file);
  },
  120_000,
);

test('more broken images than allowed are named before a run is made, and in no log', async () => {
  const folder = temporaryFolder('broken');
  const config = smallConfig('', (c) => {
    c.data = { paths: imagesWith(() => Buffer.alloc(0), volume, 'Jane Doe 17.nii'), maxBroken: 0.05 };
    c.records = { hidePaths: true };
  });
  const { code, stderr } = await unimiss(folder, ['pretrain', writeConfig(folder, config)]);
  expect(code).toBe(4);
  expect(stderr).toContain('Jane Doe 17.nii: is empty');
  expect(stderr).toContain('data.maxBroken');
  expect(runNames(folder)).toEqual([]);
  const { stdout } = await unimiss(folder, ['daemon', 'status', '--json']);
  const daemonLog = readFileSync((JSON.parse(stdout) as { log: string }).log, 'utf8');
  expect(daemonLog).toContain('listens on');
  expect(daemonLog).not.toMatch(/Jane|Doe/);
});

test.skipIf(noSmallDisk)(
  'a full disk stops the run; its last good checkpoint is whole and it can be resumed elsewhere',
  async () => {
    await onSmallDisk(temporaryFolder('disk'), '80m', async (disk) => {
      const config = smallConfig(manifest, (c) => {
        c.checkpoint = { everyEpochs: 1, everyMinutes: null, keepLast: 20 };
        c.train = { ...c.train, epochs: 40, interval: 40 };
      });
      const folder = temporaryFolder('full');
      const { code, stderr } = await unimiss(folder, ['pretrain', writeConfig(folder, config)], { UNIMISS_RUNS: disk });
      expect(code, stderr).toBe(8);
      expect(stderr).toMatch(
        /no space is left on the disk\s+Free some space, and try again\. A run that stopped resumes/,
      );
      const { stdout } = await unimiss(folder, ['runs', '--json'], { UNIMISS_RUNS: disk });
      const run = JSON.parse(stdout);
      expect(run.state).toBe('failed');
      const good = await new CheckpointStore(join(run.folder, 'checkpoints')).latestGood((message) =>
        expect.fail(message),
      );
      expect(good?.step).toBeGreaterThan(0);
      await good?.tensors.close();
    });
  },
  240_000,
);

test.skipIf(noSmallDisk)('a read-only folder for runs is refused before anything is trained', async () => {
  await onSmallDisk(temporaryFolder('disk'), '1m', async (disk) => {
    makeReadOnly(disk);
    const folder = temporaryFolder('readonly');
    const { code, stderr } = await unimiss(folder, ['pretrain', writeConfig(folder, smallConfig(manifest))], {
      UNIMISS_RUNS: disk,
    });
    expect(code).toBe(8);
    expect(stderr).toContain('read-only');
    expect(stderr).toContain('UNIMISS_RUNS');
  });
});

test('a damaged checkpoint is recognised, set aside, and the one before is taken', async () => {
  const folder = temporaryFolder('damaged');
  const cli = new Cli(folder, ['pretrain', writeConfig(folder, smallConfig(manifest)), '--foreground', '--json']);
  await cli.record((r) => r.kind === 'event' && r.event === 'checkpoint' && (r.step ?? 0) >= 5);
  cli.kill('SIGKILL');
  expect(await cli.finished).toMatchObject({ signal: 'SIGKILL' });
  const run = onlyRun(folder);
  const newest = (await new CheckpointStore(join(run, 'checkpoints')).list()).at(-1)!;
  const bytes = readFileSync(newest.file);
  bytes[bytes.length - 10]! ^= 1;
  writeFileSync(newest.file, bytes);
  const damaged = await SafetensorsFile.open(newest.file);
  await expect(damaged.verify()).rejects.toThrow(/damaged/);
  await damaged.close();
  const { code, stderr } = await unimiss(folder, ['resume']);
  expect(code, stderr).toBe(0);
  expect(stderr).toContain(`step ${newest.step} cannot be used`);
  expect(readFileSync(`${newest.file}.damaged`)).toHaveLength(bytes.length);
}, 120_000);

test('a torn last record is cut on resuming', async () => {
  const folder = temporaryFolder('torn');
  const cli = new Cli(folder, ['pretrain', writeConfig(folder, smallConfig(manifest)), '--foreground', '--json']);
  await cli.record((r) => r.kind === 'event' && r.event === 'checkpoint');
  cli.kill('SIGKILL');
  expect(await cli.finished).toMatchObject({ signal: 'SIGKILL' });
  const run = onlyRun(folder);
  appendFileSync(join(run, 'records.jsonl'), '{"kind":"step","st');
  const { code, stderr } = await unimiss(folder, ['resume', basename(run)]);
  expect(code, stderr).toBe(0);
  expect(recordsOf(run).at(-1)).toMatchObject({ event: 'finish' });
}, 120_000);
