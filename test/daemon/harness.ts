import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { DaemonConnection } from '../../daemon/client/daemonConnection.ts';
import { reachable } from '../../daemon/files/reach.ts';
import { isLocked, trainerOf } from '../../daemon/runs/folder/lock.ts';
import { trainerPlaces } from '../../daemon/runs/supervise/trainerPlace.ts';
import { type DaemonPaths, daemonPaths } from '../../daemon/server/life/paths.ts';
import { frameOf } from '../../protocol/daemon/frameGuard.ts';
import { runCreate, runsChanged, runsWatch } from '../../protocol/runs/messages.ts';
import type { RunInfo } from '../../protocol/runs/runInfo.ts';
import { environmentIn } from '../environment.ts';
import { bundleScripts } from './bundle.ts';
import { configText } from './runs.ts';

/** A command that runs. */
export interface Command extends ChildProcess {
  /** What it has written so far, on both streams. */
  output(): string;
  /** Resolves once the output contains a text; rejects if the command ends without it. */
  says(pattern: RegExp): Promise<void>;
}

/** A separate place for a daemon with real processes; closing it leaves none of them behind. */
export class DaemonPlace {
  readonly folder = mkdtempSync(join(tmpdir(), 'unimiss-daemon-'));
  readonly runsRoot = join(this.folder, 'runs');
  readonly env: NodeJS.ProcessEnv;
  readonly paths: DaemonPaths;
  private readonly children: ChildProcess[] = [];
  private readonly clients: DaemonConnection[] = [];

  constructor(
    private readonly script: string,
    env: NodeJS.ProcessEnv = {},
  ) {
    this.env = environmentIn(this.folder, { UNIMISS_RUNS: this.runsRoot, ...env });
    this.paths = daemonPaths(this.env);
  }

  /** Runs a command of `unimiss`; what it writes is collected. */
  run(...args: string[]): Command {
    const child = spawn(process.execPath, [this.script, ...args], { env: this.env, stdio: ['pipe', 'pipe', 'pipe'] });
    let output = '';
    const looking = new Set<() => void>();
    for (const stream of [child.stdout!, child.stderr!])
      stream.on('data', (data) => {
        output += String(data);
        for (const look of [...looking]) look();
      });
    this.children.push(child);
    const says = (pattern: RegExp) =>
      new Promise<void>((resolve, reject) => {
        const look = () => {
          if (!pattern.test(output)) return;
          looking.delete(look);
          resolve();
        };
        looking.add(look);
        child.once('close', () => reject(new Error(`${args[0]} ended without saying ${pattern}:\n${output}`)));
        look();
      });
    return Object.assign(child, { output: () => output, says });
  }

  /** As `run`, to its end. */
  async finished(...args: string[]): Promise<{ code: number | null; output: string }> {
    const child = this.run(...args);
    const [code] = await once(child, 'close');
    return { code, output: child.output() };
  }

  /** The same place with another program: the successor of this one. It is closed with this place. */
  beside(script: string): DaemonPlace {
    const other = Object.create(this, { script: { value: script }, env: { value: { ...this.env } } }) as DaemonPlace;
    return other;
  }

  /** A client of the daemon; starts a daemon if none runs. */
  async client(): Promise<DaemonConnection> {
    const command = { file: process.execPath, args: [this.script, 'daemon', '--detached'], env: this.env };
    const client = await DaemonConnection.start(this.paths, command);
    this.clients.push(client);
    return client;
  }

  /** A connection on which anything can be said. */
  async raw(): Promise<Socket> {
    const socket = createConnection(this.paths.socket);
    await once(socket, 'connect');
    socket.on('error', () => {});
    return socket;
  }

  /** Ends the daemon and whatever else was started here, and removes the folder. */
  async close(): Promise<void> {
    for (const client of this.clients) client.close();
    if (await reachable(this.paths.socket).catch(() => false)) await this.finished('daemon', 'stop', '--stop-runs');
    for (const child of this.children)
      if (child.exitCode === null && child.signalCode === null) {
        const gone = once(child, 'exit');
        child.kill('SIGKILL');
        await gone;
      }
    // Trainers whose daemon was killed live on.
    for (const { run } of await trainerPlaces(this.paths.trainers)) {
      const lock = join(run, 'lock');
      if (!isLocked(lock)) continue;
      const { pid } = trainerOf(lock)!;
      process.kill(pid, 'SIGKILL');
      while (alive(pid)) await setTimeout(5);
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** For a file of tests: a place for a daemon with the fake trainer, a new one for each test. */
export function placeForEachTest(use: (place: DaemonPlace) => void): void {
  let scripts: Awaited<ReturnType<typeof bundleScripts<'main'>>>;
  let place: DaemonPlace;
  beforeAll(async () => {
    scripts = await bundleScripts('main');
  });
  beforeEach(() => {
    place = new DaemonPlace(scripts.main);
    use(place);
  });
  afterEach(() => place.close());
  afterAll(() => scripts.remove());
}

/** As `placeForEachTest`, but one place for all tests of the file. */
export function placeForAllTests(use: (place: DaemonPlace) => void | Promise<void>, env: NodeJS.ProcessEnv = {}): void {
  let scripts: Awaited<ReturnType<typeof bundleScripts<'main'>>> | undefined;
  let place: DaemonPlace | undefined;
  beforeAll(async () => {
    scripts = await bundleScripts('main');
    place = new DaemonPlace(scripts.main, env);
    await use(place);
  });
  afterAll(async () => {
    await place?.close();
    scripts?.remove();
  });
}

/** The newest state of each run that a client receives, and ways to wait for a state. */
export class RunWatcher {
  private readonly runs = new Map<string, RunInfo>();
  private readonly waiting = new Set<() => void>();

  static async on(client: DaemonConnection): Promise<RunWatcher> {
    const watcher = new RunWatcher();
    client.listen(runsChanged, ({ runs, removed }) => {
      for (const folder of removed) watcher.runs.delete(folder);
      watcher.take(runs);
    });
    watcher.take((await client.call(runsWatch, {})).runs);
    return watcher;
  }

  get(folder: string): RunInfo | undefined {
    return this.runs.get(folder);
  }

  /** Resolves as soon as `test` holds for a run. */
  until(folder: string, test: (info: RunInfo | undefined) => boolean): Promise<RunInfo | undefined> {
    return this.untilFound(() => this.runs.get(folder), test);
  }

  /** As `until`, for the only run of a name. */
  async untilNamed(name: string, test: (info: RunInfo | undefined) => boolean): Promise<RunInfo> {
    const find = () => [...this.runs.values()].find((run) => run.name === name);
    return (await this.untilFound(find, test))!;
  }

  private untilFound(
    find: () => RunInfo | undefined,
    test: (info: RunInfo | undefined) => boolean,
  ): Promise<RunInfo | undefined> {
    return new Promise((resolve) => {
      const look = () => {
        const info = find();
        if (!test(info)) return;
        this.waiting.delete(look);
        resolve(info);
      };
      this.waiting.add(look);
      look();
    });
  }

  private take(runs: RunInfo[]): void {
    for (const run of runs) this.runs.set(run.folder, run);
    for (const look of [...this.waiting]) look();
  }
}

/** Starts a run of the fake trainer. */
export function createRun(client: DaemonConnection, name: string, steps: number, start = true): Promise<RunInfo> {
  return client.call(runCreate, { from: { config: configText(name, steps), file: '/x.unimiss.jsonc' }, start });
}

export const trained = (steps: number) => (info: RunInfo | undefined) => (info?.progress?.step ?? 0) >= steps;
export const ended = (info: RunInfo | undefined) => info !== undefined && info.activity === null;

/** A client's first message. */
export const hello = frameOf({
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: { processId: null, capabilities: {} },
});

/** Resolves once a socket has said a text, in however many pieces it comes. */
export async function says(socket: Socket, pattern: RegExp): Promise<void> {
  let said = '';
  await new Promise<void>((resolve, reject) => {
    socket.on('data', (data) => {
      said += String(data);
      if (pattern.test(said)) resolve();
    });
    socket.once('close', () => reject(new Error(`closed without saying ${pattern}:\n${said}`)));
  });
}

/** All that a socket says until it is closed. */
export async function untilClosed(socket: Socket): Promise<string> {
  const said: Buffer[] = [];
  socket.on('data', (data) => said.push(data));
  await once(socket, 'close');
  return Buffer.concat(said).toString('utf8');
}

/** The process that trains a run, or trained it last. */
export function trainerPid(folder: string): number {
  return trainerOf(join(folder, 'lock'))!.pid;
}

/** Whether a process runs; one that has ended and whose parent has not asked for its end does not. */
export function alive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
