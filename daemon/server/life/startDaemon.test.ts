import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { reach } from '../../files/reach.ts';
import { lockRun } from '../../runs/folder/lock.ts';
import { tasks } from '../../runs/start/tasks.ts';
import { Daemon } from './daemon.ts';
import { AlreadyRunning } from './daemonLock.ts';
import { type DaemonPaths, daemonPaths } from './paths.ts';
import { connectOrStart } from './startDaemon.ts';

let folder: string;
let paths: DaemonPaths;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'unimiss-start-'));
  paths = daemonPaths({ UNIMISS_SOCKET: join(folder, 'd.sock') });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A script that acts as a daemon; it knows `socket`, and `nth`: how many were started before it. */
function daemonOf(script: string) {
  const file = join(folder, 'daemon.cjs');
  writeFileSync(
    file,
    `const fs = require('node:fs'), net = require('node:net');
const socket = ${JSON.stringify(paths.socket)}, count = ${JSON.stringify(join(folder, 'count'))};
fs.appendFileSync(count, 'x');
const nth = fs.statSync(count).size - 1;
function listen() { net.createServer((client) => client.once('data', () => process.exit())).listen(socket); }
${script}`,
  );
  return { file: process.execPath, args: [file] };
}

it('starts another where the one that it started had to give way to one that then ended', async () => {
  const connection = await connectOrStart(paths, daemonOf('if (nth < 3) process.exit(0); listen();'));
  connection.write('end');
  await once(connection, 'close');
});

it('says how a daemon died that never listened, with its last words', async () => {
  const dying = daemonOf('console.error("out of luck"); process.kill(process.pid, "SIGKILL");');
  await expect(connectOrStart(paths, dying)).rejects.toMatchObject({
    code: 'daemon',
    message: expect.stringMatching(/exited with a signal\n.*out of luck/s),
  });
});

it('takes the daemon that listens by then, whatever happened to its own', async () => {
  const failing = daemonOf(
    'process.kill(Number(process.env.STARTER), "SIGUSR2"); setTimeout(() => process.exit(1), 300);',
  );
  const server = createServer();
  const listening = once(process, 'SIGUSR2').then(() => server.listen(paths.socket));
  const connection = await connectOrStart(paths, { ...failing, env: { ...process.env, STARTER: String(process.pid) } });
  await listening;
  connection.destroy();
  server.close();
});

it('does not wait forever for one that never listens', async () => {
  const silent = daemonOf('setTimeout(() => {}, 5000);');
  await expect(connectOrStart(paths, silent, 500)).rejects.toThrow(/did not start listening in time/);
});

it('a daemon gets the lock that another just released, or reports that it is held', async () => {
  const start = () =>
    Daemon.start({
      tasks,
      paths,
      runsRoot: join(folder, 'runs'),
      trainer: { file: process.execPath, args: [] },
      job: { file: process.execPath, args: [] },
      log: () => {},
    });
  const outcomes = new Set<string>();
  // Around the time limit of waiting for a held lock.
  for (let ms = 150; ms < 250; ms += 5) {
    const lock = await lockRun(paths.lock);
    const started = start().then(
      (daemon) => daemon,
      (error) => error as Error,
    );
    await setTimeout(ms);
    lock.release();
    const outcome = await started;
    if (outcome instanceof Daemon) {
      outcome.stop();
      await outcome.ended;
      expect(await reach(paths.socket)).toBeUndefined();
    } else expect(outcome).toBeInstanceOf(AlreadyRunning);
    outcomes.add(outcome.constructor.name);
  }
  expect(outcomes).toContain('Daemon');
});
