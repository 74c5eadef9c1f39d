import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { resolveConfig } from '../../../protocol/config/index.ts';
import { parseConfig } from '../../../protocol/config/parseConfig.ts';
import { UnimissError } from '../../../protocol/errors.ts';
import type { EventRecord, RunState, StepRecord } from '../../../protocol/records/records.ts';
import { makeReadOnly, noSmallDisk, onSmallDisk } from '../../../test/smallDisk.ts';
import { listRuns, runState } from '../records/list.ts';
import { RecordLog } from '../records/recordLog.ts';
import { shownDevices } from '../supervise/devicesOf.ts';
import { lockRun } from './lock.ts';
import { RunLog } from './log.ts';
import { inside, runsRoot } from './root.ts';
import { RunFolder } from './runFolder.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'unimiss-runs-'));
});
afterEach(() => rm(root, { recursive: true }));

const given = '{ // mine\n "name": "chest", "data": { "paths": "ct" }, "model": { "preset": "nano" } }';
const config = resolveConfig(parseConfig(given, 'a'), { baseDir: '/project', home: '/home/me' });
const now = new Date('2026-01-02T03:04:05.678Z');
const time = now.toISOString();

describe('a run folder', () => {
  it('is readable without us, and opens as it was made', async () => {
    const run = await RunFolder.create(root, given, config, now);
    expect(run.id).toBe('chest-20260102-030405');
    expect(await readFile(join(run.folder, 'config.unimiss.jsonc'), 'utf8')).toBe(given);
    expect(JSON.parse(await readFile(join(run.folder, 'config.resolved.json'), 'utf8'))).toEqual(config);
    expect((await readdir(run.folder)).sort()).toEqual([
      'checkpoints',
      'config.resolved.json',
      'config.unimiss.jsonc',
      'previews',
      'run.json',
    ]);
    const opened = await RunFolder.open(run.folder);
    expect(opened).toEqual(run);
    expect((await RunFolder.named(root, run.id)).config).toEqual(config);
  });

  it('is another one for each run, even in the same second', async () => {
    const runs = await Promise.all([1, 2, 3].map(() => RunFolder.create(root, given, config, now)));
    expect(runs.map((run) => run.id).sort()).toEqual([
      'chest-20260102-030405',
      'chest-20260102-030405-2',
      'chest-20260102-030405-3',
    ]);
  });

  it('keeps the versions of its last start', async () => {
    const run = await RunFolder.create(root, given, config, now);
    expect(await run.versions()).toBeUndefined();
    const versions = {
      unimiss: '0.1.0',
      node: 'v20',
      tensorflow: '2.21.0',
      platform: 'linux-x64',
      device: 'CPU',
      executors: { '2D': 'graph', '3D': 'xla' },
      threads: { interOp: 2, intraOp: 2 },
    } as const;
    await run.writeVersions(versions);
    expect(await run.versions()).toEqual(versions);
    await writeFile(join(run.folder, 'versions.json'), '{}');
    await expect(run.versions()).rejects.toThrow(/versions.json/);
  });

  it.each(['..', '../x', 'a/b', '/etc', '.hidden', '', 'a\0b', '~', 'a b'])(
    'is never found by the name %j',
    async (name) => {
      await expect(RunFolder.named(root, name)).rejects.toMatchObject({ code: 'run' });
    },
  );

  it('no name leads out of its folder', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('.', '/', '\\', 'a', '-', '~', '\0') }), (name) => {
        let path: string;
        try {
          path = inside('/runs', name);
        } catch (error) {
          expect(error).toBeInstanceOf(UnimissError);
          return;
        }
        expect(path).toBe(`/runs/${name}`);
        expect(name).not.toMatch(/[/\\\0]|^\./);
      }),
    );
  });

  it('says what is missing or damaged', async () => {
    await expect(RunFolder.named(root, 'none')).rejects.toThrow(/no run "none"/);
    await expect(RunFolder.open(root)).rejects.toThrow(/run.json: cannot be read/);
    const run = await RunFolder.create(root, given, config, now);
    await writeFile(join(run.folder, 'run.json'), '{ "format": 2 }');
    await expect(RunFolder.open(run.folder)).rejects.toThrow(/does not describe a run of this version/);
    await writeFile(join(run.folder, 'run.json'), '{ "format": 3, "unimiss": "9.1.0" }');
    await expect(RunFolder.open(run.folder)).rejects.toThrow(
      /created by UniMiSS 9\.1\.0.*\n.*Update UniMiSS to 9\.1\.0/,
    );
    await writeFile(join(run.folder, 'run.json'), '{ "format": 3 }');
    await expect(RunFolder.open(run.folder)).rejects.toThrow(
      /created by a newer UniMiSS;.*\n.*Update UniMiSS to open it/,
    );
  });

  it('of version 0.1.0 is a pre-training', async () => {
    const run = await RunFolder.create(root, given, config, now);
    await writeFile(join(run.folder, 'run.json'), JSON.stringify({ format: 1, name: 'chest', created: time }));
    const { task: _, ...earlier } = config;
    await writeFile(join(run.folder, 'config.resolved.json'), JSON.stringify(earlier));
    expect((await RunFolder.open(run.folder)).config).toEqual(config);
  });

  it.each([
    [
      'a value that is not valid',
      { train: { epochs: 0 } },
      /config\.resolved\.json:\d+:\d+: train\.epochs: 0 is too small/,
    ],
    ['a task of another version', { task: 'fly' }, /this version has no task "fly"/],
  ])('with %s can be listed, but not trained on', async (_, change, reason) => {
    const run = await RunFolder.create(root, given, config, now);
    await writeFile(join(run.folder, 'config.resolved.json'), JSON.stringify({ ...config, ...change }));
    expect((await listRuns(root)).runs).toMatchObject([{ id: run.id, preset: 'unknown' }]);
    const opened = await RunFolder.open(run.folder);
    expect(() => opened.config).toThrow(reason);
    expect(shownDevices(opened)).toEqual([]);
  });

  it('opens whatever fields another version has added, and names each that it ignores', async () => {
    const run = await RunFolder.create(root, given, config, now);
    const places = [[], ['data'], ['model'], ['model', 'head'], ['train'], ['train', 'batch'], ['engine'], ['records']];
    const added = fc.record({
      place: fc.constantFrom(...places),
      key: fc.stringMatching(/^new[a-z]{1,8}$/),
      value: fc.jsonValue(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(added, { minLength: 1, maxLength: 6 }), async (fields) => {
        const changed = structuredClone(config) as unknown as Record<string, unknown>;
        for (const { place, key, value } of fields)
          place.reduce((at, step) => at[step] as Record<string, unknown>, changed)[key] = value;
        await writeFile(join(run.folder, 'config.resolved.json'), JSON.stringify(changed));
        const opened = await RunFolder.open(run.folder);
        expect(opened.config).toEqual(config);
        for (const { place, key } of fields)
          expect(opened.notices.join('\n')).toContain(`\`${[...place, key].join('.')}\` is ignored`);
      }),
      { numRuns: 50 },
    );
  });

  it('is where UNIMISS_RUNS points, or in the home folder', () => {
    expect(runsRoot({ UNIMISS_RUNS: '/big/runs' })).toBe('/big/runs');
    expect(runsRoot({})).toBe(join(homedir(), 'unimiss-runs'));
  });

  it.skipIf(noSmallDisk !== undefined)(
    'cannot be made on a read-only disk: the remedy is named, and what is there can be read',
    () =>
      onSmallDisk(root, '1m', async (disk) => {
        const run = await RunFolder.create(disk, given, config, now);
        makeReadOnly(disk);
        await expect(RunFolder.create(disk, given, config, now)).rejects.toThrow(/read-only.*\n.*UNIMISS_RUNS/);
        expect(() => RecordLog.open(run.recordsFile)).toThrow(/read-only/);
        expect(() => new RunLog(run.logFile)).toThrow(/read-only/);
        expect((await listRuns(disk)).runs).toMatchObject([{ id: run.id, state: 'new' }]);
      }),
  );

  it('log.txt: names of files cannot command the terminal that shows it', async () => {
    const run = await RunFolder.create(root, given, config, now);
    const log = new RunLog(run.logFile);
    log.write('warning', 'broken: ct\x1b[2J.nii\nsecond line');
    log.close();
    expect(await readFile(run.logFile, 'utf8')).toMatch(/broken: ct\\x1b\[2J\.nii\n {4}second line\n$/);
  });

  it('log.txt: each entry starts with its time, starts follow one another', async () => {
    const run = await RunFolder.create(root, given, config, now);
    for (const message of ['one\ntwo', 'three\n']) {
      const log = new RunLog(run.logFile);
      log.write('warning', message);
      log.close();
    }
    const lines = (await readFile(run.logFile, 'utf8')).split('\n');
    expect(lines[0]).toMatch(/^\d{4}-.*Z warning one$/);
    expect(lines[1]).toBe('    two');
    expect(lines[2]).toMatch(/Z warning three$/);
  });
});

describe('the list of runs', () => {
  const event = (name: EventRecord['event']): EventRecord => ({ kind: 'event', event: name, message: name, time });
  const step = (n: number): StepRecord => ({
    kind: 'step',
    step: n,
    epoch: 1,
    group: '3D',
    loss: 2.5,
    values: { learningRate: 0, weightDecay: 0, momentum: 1, gradientNorm: 0, imagesPerSecond: 0 },
    stepMs: 0,
    waitMs: 0,
    rssMiB: 0,
    time,
  });
  async function runWith(events: EventRecord['event'][], steps = 0): Promise<RunFolder> {
    const run = await RunFolder.create(root, given, config, now);
    const log = RecordLog.open(run.recordsFile);
    const [first, ...rest] = events;
    if (first !== undefined) log.append(event(first));
    for (let n = 0; n < steps; n++) log.append(step(n));
    for (const name of rest) log.append(event(name));
    log.close();
    return run;
  }

  it.each<[RunState, EventRecord['event'][], number]>([
    ['new', [], 0],
    ['interrupted', ['start'], 3],
    ['interrupted', ['start'], 2000],
    ['interrupted', ['start', 'stop', 'resume'], 3],
    ['stopped', ['start', 'checkpoint', 'stop'], 3],
    ['finished', ['start', 'checkpoint', 'finish', 'notice'], 2000],
    ['failed', ['start', 'error'], 0],
  ])('tells that a run is %s after %j and %i steps', async (state, events, steps) => {
    expect(await runState(await runWith(events, steps))).toBe(state);
  });

  it('tells that a run is being trained by its lock, not by its records', async () => {
    const run = await runWith(['start'], 3);
    const lock = await lockRun(run.lockFile);
    expect((await listRuns(root)).runs[0]).toMatchObject({
      state: 'running',
      step: 2,
      epoch: 1,
      loss: 2.5,
      preset: 'nano',
      epochs: 200,
      updated: time,
    });
    lock.release();
    expect((await listRuns(root)).runs[0]!.state).toBe('interrupted');
  });

  it('lists the latest loss of each modality', async () => {
    const run = await runWith(['start'], 3);
    const log = RecordLog.open(run.recordsFile);
    log.append({ ...step(3), group: '2D', loss: 5.7 });
    log.append({ ...step(4), group: '2D', loss: 5.6 });
    log.close();
    expect((await listRuns(root)).runs[0]).toMatchObject({ loss: 5.6, losses: { '2D': 5.6, '3D': 2.5 } });
  });

  it('passes over what is no run and names what cannot be read, newest run first', async () => {
    const [old, young] = [new Date('2025-01-01'), new Date('2026-06-01')];
    const a = await RunFolder.create(root, given, config, old);
    const b = await RunFolder.create(root, given, config, young);
    const broken = await RunFolder.create(root, given, config, now);
    await rm(join(broken.folder, 'config.resolved.json'));
    await mkdir(join(root, 'foreign'));
    await mkdir(join(root, 'odd', 'run.json'), { recursive: true });
    await writeFile(join(root, 'file'), '');
    await symlink(root, join(root, 'loop'));
    const { runs, problems } = await listRuns(root);
    expect(runs.map((run) => run.id)).toEqual([b.id, a.id]);
    expect(problems.map((p) => p.folder).sort()).toEqual([broken.folder, join(root, 'odd')].sort());
    expect(problems[0]!.message).toMatch(/cannot be read/);
  });

  it('is empty where there is no folder yet', async () => {
    expect(await listRuns(join(root, 'none'))).toEqual({ runs: [], problems: [] });
    await writeFile(join(root, 'file'), '');
    expect((await listRuns(join(root, 'file'))).problems).toHaveLength(1);
  });
});
