import { mkdir, mkdtemp, readFile, rm, unlink, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UnimissError } from '../../../protocol/errors.ts';
import { bundleChild, Child } from '../../../test/child.ts';
import { makeReadOnly, noSmallDisk, onSmallDisk } from '../../../test/smallDisk.ts';
import { isLocked, lockRun } from './lock.ts';

let folder: string;
let script: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'unimiss-lock-'));
  script = await bundleChild(
    `import { lockRun } from './daemon/runs/folder/lock.ts';
     process.stdin.once('data', async () => {
       try {
         await lockRun(process.argv[2]!);
         console.log('locked');
       } catch (error) {
         console.log('refused ' + JSON.stringify({ code: error.code, message: error.message }));
       }
     });
     console.log('ready');`,
    folder,
  );
});
afterAll(() => rm(folder, { recursive: true }));

/** Child processes that wait for the lock. */
async function contenders(count: number, file: string): Promise<Child[]> {
  const children = Array.from({ length: count }, () => Child.start(script, [file]));
  for (const child of children) expect(await child.line()).toBe('ready');
  return children;
}
const go = (child: Child): boolean => child.process.stdin!.write('\n');

describe('the lock of a run', () => {
  it('goes to one of several processes that race for it; the others are told who holds it', async () => {
    const file = join(folder, 'race');
    const children = await contenders(4, file);
    for (const child of children) go(child);
    const answers = await Promise.all(children.map((child) => child.line()));
    const winner = answers.indexOf('locked');
    expect(winner).toBeGreaterThanOrEqual(0);
    for (const [i, answer] of answers.entries()) {
      if (i === winner) continue;
      const { code, message } = JSON.parse(answer.replace(/^refused /, ''));
      expect(code).toBe('run');
      expect(message).toContain(`already training in process ${children[winner]!.process.pid} on ${hostname()}`);
      expect(message).toContain(`kill -INT ${children[winner]!.process.pid}`);
    }
    expect(isLocked(file)).toBe(true);
    for (const child of children) await child.kill();
  });

  it('is reported with a remedy: a command for the daemon if that trains the run', async () => {
    const run = join(folder, 'chest-20260102-030405');
    await mkdir(run);
    const byDaemon = await lockRun(join(run, 'lock'), {
      trainsFor: 'daemon',
      control: { version: 1, socket: '/run/t.sock' },
    });
    await expect(lockRun(join(run, 'lock'))).rejects.toThrow(
      /in process \d+ on .*, for the daemon\n {2}Wait .* stop it with `unimiss stop chest-20260102-030405` \(`kill -INT \d+` if its daemon is gone\)\.$/,
    );
    byDaemon.release();
    const byHand = await lockRun(join(run, 'lock'), { trainsFor: 'terminal' });
    await expect(lockRun(join(run, 'lock'))).rejects.toThrow(
      new RegExp(
        `in process \\d+ on .*\\n {2}Wait .* with Ctrl-C in its terminal, or \`kill -INT ${process.pid}\`\\.$`,
      ),
    );
    byHand.release();
    const far = { pid: 7, host: 'elsewhere', since: '2026-01-02', trainsFor: 'daemon' };
    const held = await lockRun(join(run, 'lock'));
    await writeFile(join(run, 'lock'), JSON.stringify(far));
    await expect(lockRun(join(run, 'lock'))).rejects.toThrow(/`unimiss stop chest-20260102-030405` on elsewhere /);
    held.release();
  });

  it('is free as soon as its owner was killed', async () => {
    const file = join(folder, 'killed');
    const [child] = await contenders(1, file);
    go(child!);
    expect(await child!.line()).toBe('locked');
    await expect(lockRun(file)).rejects.toThrow(UnimissError);
    expect(await child!.kill('SIGKILL')).toBe('SIGKILL');
    expect(isLocked(file)).toBe(false);
    const lock = await lockRun(file);
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ pid: process.pid, host: hostname() });
    lock.release();
  });

  it('excludes a second holder in the same process, and is free after release', async () => {
    const file = join(folder, 'same');
    expect(isLocked(file)).toBe(false);
    const lock = await lockRun(file);
    expect(isLocked(file)).toBe(true);
    await expect(lockRun(file)).rejects.toThrow(`process ${process.pid}`);
    lock.release();
    lock.release();
    expect(isLocked(file)).toBe(false);
    (await lockRun(file)).release();
  });

  it('is not lost when others only check whether it is held', async () => {
    const file = join(folder, 'asked');
    (await lockRun(file)).release();
    const children = await contenders(1, file);
    const answer = children[0]!.line();
    go(children[0]!);
    let asked = 0;
    let answered = false;
    const done = answer.then((line) => {
      answered = true;
      return line;
    });
    while (!answered) {
      isLocked(file);
      asked++;
      await new Promise(setImmediate);
    }
    expect(await done).toBe('locked');
    expect(asked).toBeGreaterThan(0);
    await children[0]!.kill();
  });

  it('is not taken on a file that was removed meanwhile', async () => {
    const file = join(folder, 'removed');
    const first = await lockRun(file);
    const second = lockRun(file).catch((error: unknown) => error);
    await unlink(file);
    first.release();
    expect(await second).toMatchObject({ code: 'disk', message: expect.stringContaining('removed or replaced') });
  });

  it.skipIf(noSmallDisk !== undefined)('names a read-only disk', () =>
    onSmallDisk(folder, '1m', async (disk) => {
      makeReadOnly(disk);
      await expect(lockRun(join(disk, 'lock'))).rejects.toMatchObject({ code: 'disk' });
    }),
  );
});
