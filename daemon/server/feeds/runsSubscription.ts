import { runsChanged } from '../../../protocol/runs/messages.ts';
import type { RunInfo } from '../../../protocol/runs/runInfo.ts';
import type { RunChange } from '../../runs/supervise/supervisor.ts';
import { Outbox } from '../wire/outbox.ts';
import type { Send, Subscription } from '../wire/subscription.ts';
import type { RunInfos, RunRegistry } from './runRegistry.ts';

/** Time between two notifications, ms. */
const INTERVAL = 150;

/** Notifies a client of new, changed and removed runs, one notification at a time. */
export class RunsSubscription implements Subscription {
  private readonly outbox: Outbox;
  private readonly told = new Map<string, string>();
  private readonly changed = new Set<string>();
  private all = false;

  /** `first`: the answer to the client's subscription. */
  constructor(
    private readonly id: string,
    first: RunInfos,
    private readonly registry: RunRegistry,
    private readonly send: Send,
    failed: (error: unknown) => void,
  ) {
    for (const info of first.runs) this.told.set(info.folder, JSON.stringify(info));
    this.outbox = new Outbox(() => this.round(), INTERVAL, failed);
  }

  notify(folder?: string, change?: RunChange): void {
    if (change === 'records') return; // progress covers this at lower cost
    if (folder === undefined) this.all = true;
    else this.changed.add(folder);
    this.outbox.schedule();
  }

  close(): void {
    this.outbox.close();
  }

  private async round(): Promise<void> {
    const { all } = this;
    const folders = [...this.changed];
    this.all = false;
    this.changed.clear();
    const runs = all ? (await this.registry.list()).runs : await this.infos(folders);
    const removed = all ? [...this.told.keys()].filter((folder) => !runs.some((run) => run.folder === folder)) : [];
    for (const folder of removed) this.told.delete(folder);
    const news = runs.filter((info) => this.isNews(info));
    if (news.length > 0 || removed.length > 0)
      await this.send(runsChanged, { subscription: this.id, runs: news, removed });
  }

  private async infos(folders: string[]): Promise<RunInfo[]> {
    const infos: RunInfo[] = [];
    for (const folder of folders) {
      const run = await this.registry.find(folder).catch(() => undefined);
      if (run) infos.push(await this.registry.info(run));
      else this.all = true; // it may be gone: the next look at everything finds out
    }
    if (this.all) this.outbox.schedule();
    return infos;
  }

  private isNews(info: RunInfo): boolean {
    const now = JSON.stringify(info);
    const news = this.told.get(info.folder) !== now;
    this.told.set(info.folder, now);
    return news;
  }
}
