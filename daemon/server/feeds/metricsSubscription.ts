import { setImmediate } from 'node:timers/promises';
import type { CheckedParamsOf } from '../../../protocol/daemon/rpc.ts';
import { type metricsSubscribe, metricsUpdate, type Position } from '../../../protocol/metrics/messages.ts';
import type { MetricsMessage, ShownRunState } from '../../../protocol/metrics/page.ts';
import type { Series } from '../../../protocol/records/series.ts';
import type { RunInfo } from '../../../protocol/runs/runInfo.ts';
import { downsample } from '../../evaluate/series/downsample.ts';
import type { RunFolder } from '../../runs/folder/runFolder.ts';
import { settingsOf } from '../../runs/folder/settings.ts';
import { loadPreviews, type SavedPreview } from '../../runs/records/previewFiles.ts';
import { Outbox } from '../wire/outbox.ts';
import type { Send, Subscription } from '../wire/subscription.ts';
import type { Feeds } from './feeds.ts';
import type { RecordFeed, RecordPiece } from './recordFeed.ts';
import type { RunRegistry } from './runRegistry.ts';
import { wireTable } from './wireTable.ts';

/** Time between two updates, ms. */
const INTERVAL = 200;
/** After appending this many times `most` rows, a new, down-sampled snapshot replaces the client's data. */
const RENEW = 4;

/** The sources of a subscription. */
export interface MetricsServices {
  readonly registry: RunRegistry;
  readonly feeds: Feeds;
  /** Catalogue of a run's numbers. */
  seriesOf(run: RunFolder): readonly Series[];
}

interface WatchedRun {
  /** The client's name for it. */
  id: string;
  run: RunFolder;
  feed: RecordFeed;
  release(): void;
  /** How much the client has; undefined: nothing. */
  position?: Position;
  /** State and progress last sent, as JSON. */
  sentStatus: string;
  gone: boolean;
}

/**
 * Sends a client the curves of some runs, one message at a time. What happens meanwhile goes into the next message: an append of
 * the news, or a snapshot if the news is too large, too old or was dropped. For a run that is new to the client, pictures follow
 * the curves; it gets a position only after them, so that a lost connection costs no picture.
 */
export class MetricsSubscription implements Subscription {
  private readonly outbox: Outbox;
  private sequence: number;
  private appended = 0;

  constructor(
    private readonly id: string,
    private readonly params: CheckedParamsOf<typeof metricsSubscribe>,
    private readonly runs: WatchedRun[],
    private readonly services: Pick<MetricsServices, 'registry' | 'seriesOf'>,
    private readonly client: { readonly send: Send; failed(error: unknown): void },
  ) {
    this.sequence = params.after?.sequence ?? 0;
    this.outbox = new Outbox(
      () => this.round(),
      INTERVAL,
      (error) => client.failed(error),
    );
    this.outbox.schedule();
  }

  static async open(
    id: string,
    params: CheckedParamsOf<typeof metricsSubscribe>,
    services: MetricsServices,
    send: Send,
    failed: (error: unknown) => void,
  ): Promise<MetricsSubscription> {
    const { registry, feeds } = services;
    const found = await Promise.all(
      [...new Set(params.runs)].map(async (ref) => ({ id: ref, run: await registry.find(ref) })),
    );
    const runs = found.map(({ id, run }): WatchedRun => {
      const known = params.after?.positions[id];
      return { id, run, ...feeds.open(run), ...(known && { position: known }), sentStatus: '', gone: false };
    });
    return new MetricsSubscription(id, params, runs, services, { send, failed });
  }

  notify(folder?: string): void {
    if (folder === undefined || this.runs.some(({ run }) => run.folder === folder)) this.outbox.schedule();
  }

  close(): void {
    this.outbox.close();
    for (const watched of this.runs) watched.release();
  }

  private async round(): Promise<void> {
    const infos = new Map<WatchedRun, RunInfo>();
    for (const watched of this.runs) {
      if (watched.gone) continue;
      // A deleted or renamed run can no longer be opened.
      const run = await this.services.registry.find(watched.run.folder).catch(() => undefined);
      if (run === undefined) {
        watched.gone = true;
        await this.tell({ type: 'remove', sequence: ++this.sequence, run: watched.id }, []);
        continue;
      }
      await watched.feed.refresh();
      infos.set(watched, await this.services.registry.info(run));
    }
    const shown = [...infos.keys()];
    if (shown.some((watched) => this.needsSnapshot(watched))) return this.snapshot(infos);
    for (const watched of shown) await this.append(watched, infos.get(watched)!);
  }

  private needsSnapshot({ position, feed }: WatchedRun): boolean {
    if (!position || position.generation !== feed.position.generation || position.records > feed.position.records)
      return true;
    const rows = feed.after(position.records).steps.columns.step?.length ?? 0;
    return rows > this.params.most || this.appended + rows > RENEW * this.params.most;
  }

  private async snapshot(infos: Map<WatchedRun, RunInfo>): Promise<void> {
    const { most, previews } = this.params;
    const runs = [];
    /** Pictures of runs that are new to the client: they follow the curves. */
    const later = new Map<WatchedRun, SavedPreview[]>();
    for (const [watched, info] of infos) {
      const all = watched.feed.after(0);
      const saved = previews > 0 ? all.previews.slice(-previews) : [];
      if (!watched.position && saved.length > 0) later.set(watched, saved);
      watched.position = watched.feed.position;
      watched.sentStatus = JSON.stringify(statusOf(info));
      runs.push({
        ...{ id: watched.id, name: info.name, ...statusOf(info), events: all.events.slice(-1000) },
        series: this.services.seriesOf(watched.run),
        settings: settingsOf(watched.run),
        ...{ steps: wireTable(downsample(all.steps, most)), epochs: wireTable(downsample(all.epochs, most)) },
        previews: later.has(watched) ? [] : await loadPreviews(watched.run, saved),
      });
      await setImmediate(); // a long run takes about 50 ms: other clients may be waiting
    }
    this.appended = 0;
    const title = runs.map((run) => run.name).join(', ');
    const whole = [...infos.keys()].filter((watched) => !later.has(watched));
    await this.tell({ type: 'snapshot', sequence: ++this.sequence, title, summary: [], runs }, whole);
    for (const [watched, saved] of later) {
      const loaded = await loadPreviews(watched.run, saved);
      await this.tell({ type: 'append', sequence: ++this.sequence, run: watched.id, previews: loaded }, [watched]);
    }
  }

  private async append(watched: WatchedRun, info: RunInfo): Promise<void> {
    const piece = watched.feed.after(watched.position!.records);
    // Other readers may refresh the feed while pictures load here.
    const { position } = watched.feed;
    const status = statusOf(info);
    const parts = await partsOf(piece, watched.run);
    const news = JSON.stringify(status);
    if (news === watched.sentStatus && Object.keys(parts).length === 0) return;
    watched.position = position;
    watched.sentStatus = news;
    this.appended += piece.steps.columns.step?.length ?? 0;
    await this.tell({ type: 'append', sequence: ++this.sequence, run: watched.id, ...status, ...parts }, [watched]);
  }

  private tell(message: MetricsMessage, told: WatchedRun[]): Promise<void> {
    if (this.outbox.closed) return Promise.resolve();
    const positions = Object.fromEntries(told.flatMap(({ id, position }) => (position ? [[id, position]] : [])));
    return this.client.send(metricsUpdate, { subscription: this.id, message, positions });
  }
}

/** The non-empty parts. */
async function partsOf({ steps, epochs, events, previews }: RecordPiece, run: RunFolder) {
  return {
    ...(steps.columns.step?.length && { steps: wireTable(steps) }),
    ...(epochs.columns.step?.length && { epochs: wireTable(epochs) }),
    ...(events.length > 0 && { events }),
    ...(previews.length > 0 && { previews: await loadPreviews(run, previews.slice(-4)) }),
  };
}

/** State, progress and what the run waits for, in the form of the metrics component. Progress stays when a run is stopped. */
export function statusOf({ state, activity, progress, step, epoch, epochs, ...waiting }: RunInfo) {
  const shown: ShownRunState =
    activity === null ? state : activity === 'training' || activity === 'stopping' ? 'running' : activity;
  const waits = waitsOf(activity, waiting);
  const { queue } = waiting;
  const status = { state: shown, ...(waits !== undefined && { waits }), ...(queue !== null && { queue }) };
  if (progress) {
    const { totalSteps, totalEpochs, secondsLeft } = progress;
    const { step, epoch } = progress;
    return {
      ...status,
      progress: { step, totalSteps, epoch, totalEpochs, ...(secondsLeft !== undefined && { secondsLeft }) },
    };
  }
  if (step === null || epoch === null) return status;
  return { ...status, progress: { step: step + 1, epoch, ...(epochs > 0 && { totalEpochs: epochs }) } };
}

/** What a run waits for, in a sentence. */
function waitsOf(
  activity: RunInfo['activity'],
  { stage, queue, devices, waitsFor = [] }: Pick<RunInfo, 'stage' | 'queue' | 'devices' | 'waitsFor'>,
): string | undefined {
  if (activity === 'starting') return `${stage ?? 'Starting'}…`;
  if (activity !== 'queued') return undefined;
  const place = queue === null ? 'In the queue' : queue === 1 ? 'Next in the queue' : `Position ${queue} in the queue`;
  const users = waitsFor.length === 0 ? '' : `, used by ${waitsFor.join(', ')}`;
  return `${place} for ${devices.join(', ') || 'its device'}${users}.`;
}
