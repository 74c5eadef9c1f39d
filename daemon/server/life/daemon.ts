import { once } from 'node:events';
import { chmod, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { version } from '../../../package.json';
import {
  daemonStatus,
  daemonStop,
  ping,
  protocolVersion,
  unsubscribe,
} from '../../../protocol/daemon/lifecycleMessages.ts';
import type { AnswerOf } from '../../../protocol/daemon/rpc.ts';
import { messageOf, UnimissError } from '../../../protocol/errors.ts';
import { seriesOf } from '../../../protocol/records/series.ts';
import { diskError } from '../../files/atomic.ts';
import { isLocked, lockRun, type RunLock } from '../../runs/folder/lock.ts';
import type { LogLine } from '../../runs/folder/log.ts';
import { closeToOthers } from '../../runs/folder/privateFolders.ts';
import { DeviceLedger } from '../../runs/supervise/deviceLedger.ts';
import { type RunChange, Supervisor } from '../../runs/supervise/supervisor.ts';
import type { TrainerCommand } from '../../runs/supervise/trainerProcess.ts';
import { emptyTrash } from '../../runs/supervise/trash.ts';
import { Feeds } from '../feeds/feeds.ts';
import { RunRegistry } from '../feeds/runRegistry.ts';
import { engineHandlers } from '../handlers/engine.ts';
import { jobHandlers } from '../handlers/jobs.ts';
import { metricsHandlers } from '../handlers/metrics.ts';
import { recordHandlers } from '../handlers/records.ts';
import { runHandlers } from '../handlers/runs.ts';
import type { Services } from '../handlers/services.ts';
import { ClientConnection } from '../wire/clientConnection.ts';
import { type Handler, handle } from '../wire/handler.ts';
import { trainingEnvironment } from './environment.ts';
import { type DaemonPaths, securePlace } from './paths.ts';
import { reachable } from './reach.ts';

export interface DaemonOptions {
  paths: DaemonPaths;
  /** Folder of runs, absolute. */
  runsRoot: string;
  trainer: TrainerCommand;
  /** As `trainer`, for work that is no training. */
  job: TrainerCommand;
  log: LogLine;
  /** Where that log is, if it is a file. */
  logFile?: string;
  /** Ends after so long without client and run, ms; default: never. */
  idleMs?: number;
  perDevice?: number;
  /** The clock; tests have their own. */
  now?: () => Date;
}

/** How often runs of other processes, and what somebody wrote into run folders, are looked at, ms. */
const WATCH_INTERVAL = 1000;
/** How often the trash is looked at, ms. */
const TIDY = 24 * 60 * 60 * 1000;
const MOST_CLIENTS = 200;
/** How often a lock that its holder let go meanwhile is tried again. */
const LOCK_ATTEMPTS = 5;

/**
 * The long-lived server: one a socket. It owns the processes that train runs, and tells clients about them; what it knows of
 * runs it reads from their folders, so that nothing is lost when it ends, however it ends.
 */
export class Daemon implements Services {
  /** Resolves when it has ended: trainers gone, socket removed, lock free. */
  readonly ended: Promise<void>;
  readonly devices: DeviceLedger;
  readonly supervisor: Supervisor;
  readonly registry: RunRegistry;
  readonly feeds = new Feeds();
  readonly seriesOf = () => seriesOf.pretrain;
  private readonly clients = new Set<ClientConnection>();
  private readonly started = new Date().toISOString();
  private readonly handlers: ReadonlyMap<string, Handler>;
  private readonly looking: NodeJS.Timeout;
  private readonly tidying: NodeJS.Timeout;
  private idle: NodeJS.Timeout | undefined;
  private stopping = false;
  private tellEnded: () => void = () => {};

  private constructor(
    private readonly options: DaemonOptions,
    private readonly server: Server,
    private readonly lock: RunLock,
  ) {
    const { trainer, job, perDevice, log, runsRoot } = options;
    this.devices = new DeviceLedger(perDevice);
    this.supervisor = new Supervisor({
      trainer,
      log,
      devices: this.devices,
      onChange: (folder, change) => this.changed(folder, change),
    });
    this.registry = new RunRegistry(runsRoot, this.supervisor);
    const all = [
      ...this.ownHandlers(),
      ...runHandlers(this),
      ...recordHandlers(this),
      ...metricsHandlers(this),
      ...jobHandlers(this, job),
      ...engineHandlers(),
    ];
    this.handlers = new Map(all.map((handler) => [handler.type.method, handler]));
    this.ended = new Promise((resolve) => {
      this.tellEnded = resolve;
    });
    this.looking = setInterval(() => this.changed(), WATCH_INTERVAL).unref();
    this.tidying = setInterval(() => this.tidy(), TIDY).unref();
    void this.tidy();
    server.on('connection', (socket) => this.accept(socket));
  }

  /**
   * Takes the lock, then the socket; a socket file that a dead daemon left is replaced.
   * @throws UnimissError 'daemon' where one is running already, or the folder is not the user's alone
   */
  static async start(options: DaemonOptions): Promise<Daemon> {
    const { paths, log } = options;
    await securePlace(paths);
    const lock = await takeLock(paths);
    try {
      await closeToOthers(options.runsRoot, (message) => log('warning', message));
      // Who held the lock before is dead; a daemon that holds none would have to be one on a file system without locks.
      if (await reachable(paths.socket)) throw alreadyRunning(paths);
      await rm(paths.socket, { force: true });
      // A client that has said all may still hear the answers.
      const server = createServer({ allowHalfOpen: true });
      server.listen(paths.socket);
      // Who connects as soon as that is possible must be heard: nothing may be awaited in between.
      const daemon = new Daemon(options, server, lock);
      await once(server, 'listening').catch((error) => {
        throw diskError(error, paths.socket);
      });
      await chmod(paths.socket, 0o600);
      daemon.watchIdle();
      log(
        'info',
        `daemon ${process.pid}, version ${version}, listens on ${paths.socket}; runs are in ${options.runsRoot}`,
      );
      return daemon;
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /** Tells all subscribers to look: at one run or at everything. */
  changed(folder?: string, change?: RunChange): void {
    for (const client of this.clients) client.notify(folder, change);
    if (change === 'state') this.watchIdle();
  }

  status(): AnswerOf<typeof daemonStatus> {
    const { paths, runsRoot, idleMs, logFile } = this.options;
    return {
      ...{ pid: process.pid, version, protocol: protocolVersion, started: this.started, socket: paths.socket },
      ...{ log: logFile ?? null, runsRoot, clients: this.clients.size, ...this.supervisor.counts },
      ...{ rssMiB: process.memoryUsage.rss() / 2 ** 20, idleSeconds: idleMs === undefined ? null : idleMs / 1000 },
      environment: trainingEnvironment(),
    };
  }

  /**
   * Begins to end: runs stop at their next step with a checkpoint; clients are served until then. A second call ends the
   * trainers at once.
   * @returns the number of runs that are stopped
   */
  stop(): number {
    const { training } = this.supervisor.counts;
    if (this.stopping) this.supervisor.killAll();
    else void this.end();
    return training;
  }

  async tidy(root = this.options.runsRoot): Promise<void> {
    const { log, now = () => new Date() } = this.options;
    await emptyTrash(root, now(), log);
  }

  private async end(): Promise<void> {
    const { log } = this.options;
    this.stopping = true;
    clearTimeout(this.idle);
    log('info', `ending; ${this.supervisor.counts.training} runs stop with a checkpoint`);
    await this.supervisor.close();
    this.changed();
    clearInterval(this.looking);
    clearInterval(this.tidying);
    // Closing removes the socket's file. Whoever connects from now on starts a daemon of their own, once the lock is free.
    const closed = once(this.server, 'close');
    this.server.close();
    for (const client of this.clients) client.close();
    await closed;
    this.lock.release();
    log('info', 'ended');
    this.tellEnded();
  }

  private accept(socket: Socket): void {
    const { log, runsRoot } = this.options;
    if (this.clients.size >= MOST_CLIENTS) {
      log('warning', `a client was turned away: there are ${MOST_CLIENTS} already`);
      socket.destroy();
      return;
    }
    const client = new ClientConnection(socket, { handlers: this.handlers, about: { version, runsRoot }, log }, () => {
      this.clients.delete(client);
      this.watchIdle();
    });
    this.clients.add(client);
    this.watchIdle();
  }

  private watchIdle(): void {
    clearTimeout(this.idle);
    const { idleMs } = this.options;
    const { training, queued } = this.supervisor.counts;
    if (idleMs === undefined || this.stopping || this.clients.size + training + queued > 0) return;
    this.idle = setTimeout(() => {
      this.options.log('info', 'nobody is connected and nothing runs');
      this.stop();
    }, idleMs);
  }

  private ownHandlers(): Handler[] {
    return [
      handle(ping, async ({ run }) => ({
        time: new Date().toISOString(),
        trainerMs: run === undefined ? null : await this.supervisor.ping(await this.registry.find(run)),
      })),
      handle(daemonStatus, () => this.status()),
      handle(daemonStop, () => {
        const { training } = this.supervisor.counts;
        this.stop();
        return { stopping: training };
      }),
      handle(unsubscribe, ({ subscription }, context) => {
        context.unsubscribe(subscription);
        return {};
      }),
    ];
  }
}

async function takeLock(paths: DaemonPaths): Promise<RunLock> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await lockRun(paths.lock);
    } catch (error) {
      if (isLocked(paths.lock)) throw alreadyRunning(paths);
      // Who held it may just have ended.
      if (attempt === LOCK_ATTEMPTS)
        throw new UnimissError('daemon', `the daemon's lock cannot be taken: ${messageOf(error)}`, {
          place: paths.lock,
          cause: error,
        });
    }
  }
}

function alreadyRunning({ socket }: DaemonPaths): AlreadyRunning {
  return new AlreadyRunning('daemon', 'a daemon is running already', {
    place: socket,
    remedy: '`unimiss daemon status` tells about it; UNIMISS_SOCKET names another.',
  });
}

/** Another daemon has the socket: no error for who only wants one to be there. */
export class AlreadyRunning extends UnimissError {}
