import { dirname, join } from 'node:path';
import { parse } from 'jsonc-parser';
import { type Disposable, EventEmitter, l10n, type Memento, RelativePattern, type Uri, workspace } from 'vscode';
import { absoluteFrom } from '../../protocol/config/paths.ts';
import { dataPlan, runForecast } from '../../protocol/daemon/messages.ts';
import { messageOf } from '../../protocol/errors.ts';
import { isObject } from '../../protocol/json.ts';
import { count, thousands } from '../../protocol/words.ts';
import type { DaemonClient } from '../client/daemonClient.ts';
import { NoDaemonHere } from '../client/noDaemonHere.ts';
import { configSuffix } from '../configuration/configFiles.ts';
import { largestConfig, textOf } from '../machines/readText.ts';

/** Something wrong with a file of a data set. */
export interface DataFinding {
  readonly severity: 'error' | 'warning';
  /** The file, absolute or within the data set. */
  readonly place: string;
  readonly what: string;
}

/** What a look at a data set found. */
export type Look =
  | { readonly state: 'looking' }
  | { readonly state: 'known'; readonly about: string; readonly findings: readonly DataFinding[] }
  | { readonly state: 'failed'; readonly why: string }
  /** Only a daemon looks, and this machine has none. The data set may lie on another machine, whose daemon looks when a run starts. */
  | { readonly state: 'unchecked' };

/** A folder with images, a manifest that lists them, or a labelled data set. */
export interface DataSet {
  /** Absolute. */
  readonly path: string;
  readonly kind: 'images' | 'manifest' | 'labelled';
  /** Added by hand, so it can be removed; the others stand in a configuration. */
  readonly added: boolean;
}

/** What tells data sets apart: one file can be the manifest of one configuration and the labelled data set of another. */
export function idOf({ kind, path }: Pick<DataSet, 'kind' | 'path'>): string {
  return `${kind} ${path}`;
}

const key = 'unimiss.dataSets';

/** The data sets of the workspace: those that its configurations name, and folders that were added. */
export class DatasetStore implements Disposable {
  private readonly changed = new EventEmitter<string | undefined>();
  /** By id. */
  private readonly looks = new Map<string, Look>();
  private readonly connected: Disposable;
  private readonly watcher = workspace.createFileSystemWatcher(`**/*${configSuffix}`);
  /** A data set has been looked at (its id), or the list has changed. */
  readonly onDidChange = this.changed.event;

  constructor(
    private readonly memento: Memento,
    private readonly daemon: DaemonClient,
  ) {
    const listChanged = () => this.changed.fire(undefined);
    this.watcher.onDidCreate(listChanged);
    this.watcher.onDidChange(listChanged);
    this.watcher.onDidDelete(listChanged);
    this.connected = daemon.onDidConnect(() => this.forgetFailures());
  }

  async list(): Promise<DataSet[]> {
    const configured = new Map((await this.configured()).map((one) => [idOf(one), one]));
    const named = new Set([...configured.values()].map(({ path }) => path));
    // Of a folder that was added, only a configuration says what is in it.
    const added = this.added.filter((path) => !named.has(path)).map(addedSet);
    return [...added, ...configured.values()].sort(
      (a, b) => a.path.localeCompare(b.path, 'en', { numeric: true }) || a.kind.localeCompare(b.kind),
    );
  }

  async add(paths: readonly string[]): Promise<void> {
    await this.keep([...new Set([...this.added, ...paths])]);
  }

  async remove(path: string): Promise<void> {
    this.looks.delete(idOf(addedSet(path)));
    await this.keep(this.added.filter((one) => one !== path));
  }

  /** What is known of a data set. The first call looks at it; `onDidChange` tells when that is done. */
  look(set: DataSet): Look {
    const known = this.looks.get(idOf(set));
    if (known) return known;
    void this.lookAgain(set);
    return { state: 'looking' };
  }

  /** Reads the headers of its images anew, or the whole of a labelled data set. */
  async lookAgain(set: DataSet): Promise<void> {
    const id = idOf(set);
    this.looks.set(id, { state: 'looking' });
    this.changed.fire(id);
    const found = await (set.kind === 'labelled' ? this.plan(set.path) : this.survey(set)).catch(
      (error: unknown): Look =>
        error instanceof NoDaemonHere ? { state: 'unchecked' } : { state: 'failed', why: messageOf(error) },
    );
    this.looks.set(id, found.state === 'failed' ? { ...found, why: withoutPath(found.why, set.path) } : found);
    this.changed.fire(id);
  }

  dispose(): void {
    this.connected.dispose();
    this.watcher.dispose();
    this.changed.dispose();
  }

  /** What could not be looked at, perhaps since the daemon was away, is looked at again when it is shown. */
  private forgetFailures(): void {
    for (const [id, { state }] of this.looks) {
      if (state !== 'failed' && state !== 'unchecked') continue;
      this.looks.delete(id);
      this.changed.fire(id);
    }
  }

  private get added(): string[] {
    const kept: unknown = this.memento.get(key);
    return Array.isArray(kept) ? kept.filter((one) => typeof one === 'string') : [];
  }

  private async keep(paths: readonly string[]): Promise<void> {
    await this.memento.update(key, paths);
    this.changed.fire(undefined);
  }

  private async configured(): Promise<DataSet[]> {
    const folders = workspace.workspaceFolders ?? [];
    const pattern = (folder: (typeof folders)[number]) => new RelativePattern(folder, `**/*${configSuffix}`);
    const found = await Promise.all(
      folders.map((folder) => workspace.findFiles(pattern(folder), '**/{node_modules,runs}/**', 100)),
    );
    // One that cannot be read, or is no text that people write, names nothing.
    const texts = await Promise.all(
      found.flat().map(async (uri) => ({ uri, text: await textOf(uri, largestConfig).catch(() => '') })),
    );
    return texts.flatMap(({ uri, text }) => dataSetsIn(text, uri));
  }

  private async survey({ path, kind }: DataSet): Promise<Look> {
    const config = JSON.stringify({ data: { [kind === 'manifest' ? 'manifest' : 'paths']: path, maxBroken: 1 } });
    const from = { config, file: join(dirname(path), `survey${configSuffix}`) };
    const { images, unreadable, skipped, concerns } = await this.daemon.request(runForecast, { from });
    if (images.length === 0 && unreadable.count === 0)
      return { state: 'failed', why: concerns[0]?.message ?? l10n.t('has no images') };
    const about = [
      ...images.map(({ what, count: n }) => count(n, what)),
      ...(skipped === 0
        ? []
        : [skipped === 1 ? l10n.t('1 other file') : l10n.t('{0} other files', thousands(skipped))]),
    ].join(' · ');
    const findings = unreadable.first.map(({ name, reason }) => ({
      severity: 'error' as const,
      place: name,
      what: reason,
    }));
    return { state: 'known', about, findings };
  }

  private async plan(path: string): Promise<Look> {
    const { about, findings } = await this.daemon.request(dataPlan, { path });
    return {
      state: 'known',
      about,
      findings: findings.map(({ severity, place, what, remedy }) => ({ severity, place, what: `${what}. ${remedy}` })),
    };
  }
}

function addedSet(path: string): DataSet {
  return { path, kind: 'images', added: true };
}

/** The row has the name already, and room for few words. Of a fault in a file, its line stays. */
function withoutPath(why: string, path: string): string {
  if (!why.startsWith(path)) return why;
  const [, line, what] = /^(?::(\d+))?: (.*)$/s.exec(why.slice(path.length)) ?? [];
  if (what === undefined) return why;
  return line === undefined ? what : l10n.t('line {0}: {1}', line, what);
}

/** The data sets that the text of a configuration names, even if other things in it are wrong. */
export function dataSetsIn(text: string, { fsPath }: Pick<Uri, 'fsPath'>): DataSet[] {
  const config: unknown = parse(text, [], { allowTrailingComma: true });
  const data = isObject(config) ? config.data : undefined;
  if (!isObject(data)) return [];
  const absolute = absoluteFrom({ baseDir: dirname(fsPath) });
  const named = (value: unknown, kind: DataSet['kind']): DataSet[] =>
    [value]
      .flat()
      .filter((one) => typeof one === 'string' && one !== '')
      .map((one) => ({ path: absolute(one as string), kind, added: false }));
  return [...named(data.paths, 'images'), ...named(data.manifest, 'manifest'), ...named(data.path, 'labelled')];
}
