import { rm } from 'node:fs/promises';
import { version } from '../../../package.json';
import {
  daemonStatus,
  daemonStop,
  ping,
  protocolVersion,
  unsubscribe,
} from '../../../protocol/daemon/lifecycleMessages.ts';
import type { AnswerOf, CheckedParamsOf } from '../../../protocol/daemon/rpc.ts';
import { messageOf } from '../../../protocol/errors.ts';
import { languageCapabilities } from '../../../protocol/language/messages.ts';
import type { Series } from '../../../protocol/records/series.ts';
import { controlVersion } from '../../../protocol/runs/trainerMessages.ts';
import { reachable } from '../../files/reach.ts';
import type { FileLock } from '../../native/fileLock.ts';
import type { LogLine } from '../../runs/folder/log.ts';
import { closeToOthers } from '../../runs/folder/privateFolders.ts';
import type { RunFolder } from '../../runs/folder/runFolder.ts';
import { kindsOf, seriesWithLimits, type Task } from '../../runs/start/task.ts';
import type { TrainerCommand } from '../../runs/supervise/command.ts';
import { DeviceLedger } from '../../runs/supervise/deviceLedger.ts';
import { removeOldAttention } from '../../runs/supervise/oldAttention.ts';
import { type RunChange, Supervisor } from '../../runs/supervise/supervisor.ts';
import { emptyTrash } from '../../runs/supervise/trash.ts';
import { Feeds } from '../feeds/feeds.ts';
import { RunRegistry } from '../feeds/runRegistry.ts';
import type { Services } from '../handlers/services.ts';
import type { LanguageServices } from '../language/languageSession.ts';
import { LazyLanguageSession } from '../language/lazyLanguageSession.ts';
import { type Handler, handle } from '../wire/handler.ts';
import { Clients } from './clients.ts';
import { alreadyRunning, takeLock } from './daemonLock.ts';
import { trainingEnvironment } from './environment.ts';
import { handlersOf } from './handlers.ts';
import { type DaemonPaths, retiredPaths, securePlace } from './paths.ts';
import { lockRetired, retiredDaemons } from './retired.ts';

export interface DaemonOptions {
  paths: DaemonPaths;
  /** The kinds of runs that it knows. */
  tasks: readonly Task[];
  /** Folder of runs, absolute. */
  runsRoot: string;
  trainer: TrainerCommand;
  /** As `trainer`, for jobs. */
  job: TrainerCommand;
  /** Prints the report of the installation with the words of plugins; default: the daemon's own, without them. */
  report?: TrainerCommand;
  log: LogLine;
  /** The path of that log, if it is a file. */
  logFile?: string;
  /** The daemon ends after this time without client and run, ms; default: never. */
  idleMs?: number;
  perDevice?: number;
  /** The clock; tests have their own. */
  now?: () => Date;
}

/** Interval between looks at runs of other processes and at changes in run folders, ms. */
const WATCH_INTERVAL = 1000;
/** Interval between looks at the trash, ms. */
const TIDY = 24 * 60 * 60 * 1000;

/**
 * The long-lived server: one per socket. It starts the processes that train runs, adopts those that it finds, and informs clients
 * about them. It reads all it knows about runs from their folders, so nothing is lost when it ends, however it ends: its runs go
 * on.
 */
export class Daemon implements Services {
  /** Resolves when it has ended: socket removed, lock free. */
  readonly ended: Promise<void>;
  readonly devices: DeviceLedger;
  readonly supervisor: Supervisor;
  readonly registry: RunRegistry;
  readonly feeds = new Feeds();
  readonly tasks: readonly Task[];
  private readonly clients: Clients;
  private readonly started = new Date().toISOString();
  private readonly looking: NodeJS.Timeout;
  private readonly tidying: NodeJS.Timeout;
  private idle: NodeJS.Timeout | undefined;
  private stopping = false;
  private tellEnded: () => void = () => {};
  /** Stops waiting for runs. */
  private waitNoLonger: () => void = () => {};
  private readonly waitedEnough = new Promise<void>((resolve) => {
    this.waitNoLonger = resolve;
  });

  private constructor(
    private readonly options: DaemonOptions,
    private lock: FileLock,
  ) {
    const { trainer, job, report, perDevice, log, runsRoot, paths, tasks } = options;
    this.tasks = tasks;
    this.devices = new DeviceLedger(perDevice);
    this.supervisor = new Supervisor({
      trainer,
      log,
      trainers: paths.trainers,
      queue: paths.queue,
      root: runsRoot,
      kinds: kindsOf(tasks),
      devices: this.devices,
      onChange: (folder, change) => this.changed(folder, change),
    });
    this.registry = new RunRegistry(runsRoot, this.supervisor, kindsOf(tasks));
    this.clients = new Clients(
      {
        handlers: handlersOf(this, { own: this.ownHandlers(), job, report }),
        session: (send) =>
          new LazyLanguageSession(send, this.languageServices, (error) => log('warning', messageOf(error))),
        about: { version, runsRoot, capabilities: languageCapabilities },
        log,
      },
      () => this.watchIdle(),
    );
    this.ended = new Promise((resolve) => {
      this.tellEnded = resolve;
    });
    this.looking = setInterval(() => void this.look(), WATCH_INTERVAL).unref();
    this.tidying = setInterval(() => this.tidy(), TIDY).unref();
    void this.tidy();
  }

  /**
   * Takes the lock, adopts the runs that it finds, then takes the socket; replaces the socket file of a dead daemon.
   * @throws UnimissError 'daemon' if one is running already, or the folder is not private to the user
   */
  static async start(options: DaemonOptions): Promise<Daemon> {
    const { paths, log } = options;
    await securePlace(paths);
    const lock = await takeLock(paths);
    let daemon: Daemon | undefined;
    try {
      await closeToOthers(options.runsRoot, (message) => log('warning', message));
      // The previous holder is dead. Only a daemon on a file system without locks could still be listening.
      if (await reachable(paths.socket)) throw alreadyRunning(paths);
      await rm(paths.socket, { force: true });
      daemon = new Daemon(options, lock);
      await daemon.supervisor.look();
      await daemon.supervisor.restoreQueue();
      await daemon.clients.listen(paths.socket);
      daemon.watchIdle();
      log(
        'info',
        `daemon ${process.pid}, version ${version}, listens on ${paths.socket}; runs are in ${options.runsRoot}`,
      );
      return daemon;
    } catch (error) {
      daemon?.stopLooking();
      lock.release();
      throw error;
    }
  }

  /** Notifies all subscribers: of one run, or of everything. */
  changed(folder?: string, change?: RunChange): void {
    this.clients.notify(folder, change);
    if (change === 'state') this.watchIdle();
  }

  async status(): Promise<AnswerOf<typeof daemonStatus>> {
    const { paths, runsRoot, idleMs, logFile } = this.options;
    return {
      ...{ pid: process.pid, version, protocol: protocolVersion, started: this.started, socket: paths.socket },
      ...{ log: logFile ?? null, runsRoot, clients: this.clients.count, ...this.supervisor.counts },
      ...{ rssMiB: process.memoryUsage.rss() / 2 ** 20, idleSeconds: idleMs === undefined ? null : idleMs / 1000 },
      environment: trainingEnvironment(),
      retired: await retiredDaemons(paths),
    };
  }

  /**
   * Begins to end, as the protocol says. By default, the runs go on and the next daemon adopts them. A second call stops waiting
   * for runs.
   */
  stop({
    runs = 'leave',
    successor = controlVersion,
  }: Partial<CheckedParamsOf<typeof daemonStop>> = {}): AnswerOf<typeof daemonStop> {
    const { training, queued } = this.supervisor.counts;
    const answer = { stopping: 0, leaving: 0, staying: 0, waiting: queued, forgotten: 0 };
    const first = !this.stopping;
    this.stopping = true;
    clearTimeout(this.idle);
    if (runs === 'stop') {
      const stopped = this.supervisor.close();
      if (first) void this.endAfter(stopped, `${training} runs save a checkpoint and stop`);
      return { ...answer, stopping: training, waiting: 0, forgotten: queued };
    }
    if (first && training > 0 && successor !== controlVersion) {
      void this.retire();
      return { ...answer, staying: training };
    }
    const leaving = this.supervisor.leave();
    if (first) void this.endAfter(Promise.resolve(), `${leaving} runs continue`);
    else this.waitNoLonger();
    return { ...answer, leaving };
  }

  async tidy(root = this.options.runsRoot): Promise<void> {
    const { log, now = () => new Date() } = this.options;
    await emptyTrash(root, now(), log);
    await removeOldAttention(root, now(), log);
  }

  private async look(): Promise<void> {
    await this.supervisor.look();
    this.changed();
  }

  private stopLooking(): void {
    clearInterval(this.looking);
    clearInterval(this.tidying);
  }

  /**
   * Leaves socket and lock to the next daemon, which cannot control the trainers of this one, and ends after the last of them.
   */
  private async retire(): Promise<void> {
    const { paths, log } = this.options;
    const gone = this.supervisor.retire();
    const { folders } = this.supervisor;
    log('info', `another daemon takes over; this one stays until ${folders.length} runs end`);
    try {
      const lock = await lockRetired(paths, folders);
      await this.clients.close();
      await this.clients.listen(retiredPaths(paths, process.pid).socket);
      this.lock.release();
      this.lock = lock;
    } catch (error) {
      log('error', `the runs continue, but cannot be controlled: ${messageOf(error)}`);
      this.supervisor.leave();
      this.waitNoLonger();
    }
    await this.endAfter(gone, 'its runs have ended');
  }

  /** Serves clients until `runs` resolves, then ends. */
  private async endAfter(runs: Promise<void>, what: string): Promise<void> {
    const { log } = this.options;
    log('info', `stopping; ${what}`);
    await Promise.race([runs, this.waitedEnough]);
    this.changed();
    this.stopLooking();
    // Clients that connect from now on start a new daemon, once the lock is free.
    await this.clients.close();
    await this.supervisor.queueSaved;
    this.lock.release();
    log('info', 'ended');
    this.tellEnded();
  }

  private watchIdle(): void {
    clearTimeout(this.idle);
    const { idleMs } = this.options;
    const { training, queued } = this.supervisor.counts;
    if (idleMs === undefined || this.stopping || this.clients.count + training + queued > 0) return;
    this.idle = setTimeout(() => {
      this.options.log('info', 'no client is connected and no run is training');
      this.stop();
    }, idleMs);
  }

  private get languageServices(): LanguageServices {
    const { tasks } = this;
    const { runsRoot: root } = this.options;
    return {
      kinds: kindsOf(tasks),
      // Loaded with the first configuration that is opened.
      forecast: async (config, signal) =>
        (await import('../../runs/forecast/forecastOf.ts')).forecastOf(config, {
          root,
          tasks,
          signal,
          onProgress: () => {},
        }),
    };
  }

  seriesOf(run: RunFolder): readonly Series[] {
    return seriesWithLimits(run, this.tasks);
  }

  private ownHandlers(): Handler[] {
    return [
      handle(ping, async ({ run }) => ({
        time: new Date().toISOString(),
        trainerMs: run === undefined ? null : await this.supervisor.ping(await this.registry.find(run)),
      })),
      handle(daemonStatus, () => this.status()),
      handle(daemonStop, (how) => this.stop(how)),
      handle(unsubscribe, ({ subscription }, context) => {
        context.unsubscribe(subscription);
        return {};
      }),
    ];
  }
}
