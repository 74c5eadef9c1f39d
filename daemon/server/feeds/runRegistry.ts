import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join } from 'node:path';
import type { ConfigKind } from '../../../protocol/config/index.ts';
import { messageOf, UnimissError } from '../../../protocol/errors.ts';
import type { RunSummary } from '../../../protocol/records/records.ts';
import type { RunInfo } from '../../../protocol/runs/runInfo.ts';
import { isLocked } from '../../runs/folder/lock.ts';
import { closeToOthers } from '../../runs/folder/privateFolders.ts';
import { inside } from '../../runs/folder/root.ts';
import { RunFolder } from '../../runs/folder/runFolder.ts';
import { summarize } from '../../runs/records/list.ts';
import { shownDevices, shownEngineDevice } from '../../runs/supervise/devicesOf.ts';
import type { Supervisor } from '../../runs/supervise/supervisor.ts';

export interface RunInfos {
  root: string;
  runs: RunInfo[];
  problems: { folder: string; message: string }[];
}

/**
 * Finds runs and reports their state. The disk is the truth: this class only caches what it read from files that have not changed
 * since.
 */
export class RunRegistry {
  private readonly opened = new Map<string, { run: RunFolder; made: number }>();
  private readonly summaries = new Map<string, { key: string; summary: RunSummary }>();

  constructor(
    readonly root: string,
    private readonly supervisor: Supervisor,
    /** Kinds of configurations that it can read; default: the product's. */
    readonly kinds?: readonly ConfigKind[],
  ) {}

  /** A run by its name under the root, or by its absolute path. @throws UnimissError 'run' if there is none */
  async find(ref: string): Promise<RunFolder> {
    const folder = isAbsolute(ref) ? ref : inside(this.root, ref);
    const place = await realpath(folder).catch(() => {
      throw new UnimissError('run', `there is no run "${basename(folder)}" in ${dirname(folder)}`, {
        remedy: '`unimiss runs` lists the existing runs.',
      });
    });
    return this.open(place);
  }

  async info(run: RunFolder): Promise<RunInfo> {
    const locked = isLocked(run.lockFile);
    const { activity, ...live } = this.supervisor.live(run.folder);
    const summary = await this.summary(run, locked);
    const engineDevice = shownEngineDevice(run);
    const ours = activity !== null && activity !== 'queued';
    // A trainer that has just ended may still have its earlier progress here; its records say more.
    const progress = summary.state === 'running' ? live.progress : null;
    const begun = progress && progress.step > 0;
    return {
      ...summary,
      ...(begun && { step: progress.step - 1, epoch: progress.epoch, loss: progress.loss }),
      losses: { ...summary.losses, ...(begun && progress.group && { [progress.group]: progress.loss }) },
      ...live,
      progress,
      activity,
      owner: ours ? 'daemon' : locked ? 'other' : null,
      devices: shownDevices(run),
      ...(engineDevice && { engineDevice }),
    };
  }

  /**
   * All runs under the root, and runs elsewhere that this daemon trains; newest first. For another root: only the runs under it.
   */
  async list(root = this.root): Promise<RunInfos> {
    const infos: RunInfos = { root, runs: [], problems: [] };
    if (root !== this.root) await closeToOthers(root, (message) => infos.problems.push({ folder: root, message }));
    const names = await readdir(root).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') infos.problems.push({ folder: root, message: messageOf(error) });
      return [];
    });
    const realRoot = await realpath(root).catch(() => root);
    const folders = new Set([
      ...names.filter((name) => !name.startsWith('.')).map((name) => join(realRoot, name)),
      ...(root === this.root ? this.supervisor.folders : []),
    ]);
    for (const folder of folders) {
      try {
        if ((await madeAt(folder)) !== undefined) infos.runs.push(await this.info(await this.open(folder)));
      } catch (error) {
        infos.problems.push({ folder, message: messageOf(error) });
      }
    }
    // `find` asks again and again for runs elsewhere that clients watch; these stay cached until they are gone.
    if (root === this.root)
      for (const known of [...this.opened.keys()])
        if (!folders.has(known) && (dirname(known) === realRoot || (await madeAt(known)) === undefined))
          this.forget(known);
    infos.runs.sort((a, b) => b.created.localeCompare(a.created) || b.id.localeCompare(a.id));
    return infos;
  }

  forget(folder: string): void {
    this.opened.delete(folder);
    this.summaries.delete(folder);
  }

  private async open(folder: string): Promise<RunFolder> {
    const made = await madeAt(folder);
    const known = this.opened.get(folder);
    if (known && known.made === made) return known.run;
    const run = await RunFolder.open(folder, this.kinds);
    if (made !== undefined) this.opened.set(folder, { run, made });
    return run;
  }

  private async summary(run: RunFolder, locked: boolean): Promise<RunSummary> {
    const records = await stat(run.recordsFile).catch(() => undefined);
    const key = `${records?.ino}-${records?.size}-${records?.mtimeMs}-${locked}`;
    const known = this.summaries.get(run.folder);
    if (known?.key === key) return known.summary;
    const summary = await summarize(run);
    this.summaries.set(run.folder, { key, summary });
    return summary;
  }
}

/** When run.json was written, which makes a folder a run; undefined if there is none. */
async function madeAt(folder: string): Promise<number | undefined> {
  try {
    return (await stat(join(folder, 'run.json'))).mtimeMs;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}
