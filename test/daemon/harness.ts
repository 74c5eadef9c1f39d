import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DaemonClient } from '../../daemon/server/client.ts';
import { type DaemonPaths, daemonPaths } from '../../daemon/server/paths.ts';
import { reachable } from '../../daemon/server/reach.ts';
import type { RunInfo } from '../../protocol/runInfo.ts';
import { runCreate, runsChanged, runsWatch } from '../../protocol/runMessages.ts';
import { configText } from './runs.ts';

/** A place for a daemon of its own, real processes in it, and an end that leaves none of them behind. */
export class DaemonPlace {
  readonly folder = mkdtempSync(join(tmpdir(), 'unimiss-daemon-'));
  readonly runsRoot = join(this.folder, 'runs');
  readonly env: NodeJS.ProcessEnv;
  readonly paths: DaemonPaths;
  private readonly children: ChildProcess[] = [];
  private readonly clients: DaemonClient[] = [];

  constructor(
    private readonly script: string,
    env: NodeJS.ProcessEnv = {},
  ) {
    this.env = { ...process.env, UNIMISS_SOCKET: join(this.folder, 'd.sock'), UNIMISS_RUNS: this.runsRoot, ...env };
    this.paths = daemonPaths(this.env);
  }

  /** Runs a command of `unimiss`; what it writes is collected. */
  run(...args: string[]): ChildProcess & { output(): string } {
    const child = spawn(process.execPath, [this.script, ...args], { env: this.env, stdio: ['pipe', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout!, child.stderr!])
      stream.on('data', (data) => {
        output += String(data);
      });
    this.children.push(child);
    return Object.assign(child, { output: () => output });
  }

  /** As `run`, to its end. */
  async finished(...args: string[]): Promise<{ code: number | null; output: string }> {
    const child = this.run(...args);
    const [code] = await once(child, 'close');
    return { code, output: child.output() };
  }

  /** A client of the daemon, which is started where there is none. */
  async client(): Promise<DaemonClient> {
    const command = { file: process.execPath, args: [this.script, 'daemon', '--detached'], env: this.env };
    const client = await DaemonClient.start(this.paths, command);
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
    if (await reachable(this.paths.socket).catch(() => false)) await this.finished('daemon', 'stop');
    for (const child of this.children)
      if (child.exitCode === null && child.signalCode === null) {
        const gone = once(child, 'exit');
        child.kill('SIGKILL');
        await gone;
      }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** What a client is told of its runs: the newest of each, and how to wait for something. */
export class RunWatcher {
  private readonly runs = new Map<string, RunInfo>();
  private readonly waiting = new Set<() => void>();

  static async on(client: DaemonClient): Promise<RunWatcher> {
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

  /** Resolves as soon as a run is as `test` says. */
  until(folder: string, test: (info: RunInfo | undefined) => boolean): Promise<RunInfo | undefined> {
    return new Promise((resolve) => {
      const look = () => {
        const info = this.runs.get(folder);
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
export function createRun(client: DaemonClient, name: string, steps: number, start = true): Promise<RunInfo> {
  return client.call(runCreate, { from: { config: configText(name, steps), file: '/x.unimiss.jsonc' }, start });
}

export const trained = (steps: number) => (info: RunInfo | undefined) => (info?.progress?.step ?? 0) >= steps;
export const ended = (info: RunInfo | undefined) => info !== undefined && info.activity === null;

/** An LSP frame. */
export function frame(message: unknown): string {
  const body = JSON.stringify(message);
  return `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

/** All that a socket says until it is closed. */
export async function untilClosed(socket: Socket): Promise<string> {
  const said: Buffer[] = [];
  socket.on('data', (data) => said.push(data));
  await once(socket, 'close');
  return Buffer.concat(said).toString('utf8');
}

/** Whether a process runs; one that has ended and whose parent has not asked for its end does not. */
export function alive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
