import { chmod, mkdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { version } from '../../../package.json';
import { configKinds, kindOf, type ResolvedConfig } from '../../../protocol/config/index.ts';
import type { ConfigKind, ConfigSummary } from '../../../protocol/config/kind.ts';
import { runName, runNameRule } from '../../../protocol/config/shared.ts';
import { messageOf, UnimissError } from '../../../protocol/errors.ts';
import { type RunVersions, runVersionsSchema } from '../../../protocol/records/records.ts';
import { diskError, writeTextAtomically } from '../../files/atomic.ts';
import { makeFolder } from '../../files/folder.ts';
import { readRunFile } from '../../files/runFile.ts';
import { modeOfRuns } from './privateFolders.ts';
import { inside } from './root.ts';
import { readStoredConfig, type StoredConfig } from './storedConfig.ts';

const shared = { name: z.string(), created: z.iso.datetime() };
/** run.json. Version 0.1.0, which only had pre-training, wrote format 1. */
const runFileSchema = z.discriminatedUnion('format', [
  z.object({ format: z.literal(1), ...shared }),
  z.object({ format: z.literal(2), task: z.string(), unimiss: z.string(), ...shared }),
]);
type RunFile = z.infer<typeof runFileSchema>;

const newerFormat = z.object({ format: z.int().min(3), unimiss: z.string().optional() });

/**
 * A run on the disk. All its files are text, PNG or safetensors, readable without our program:
 *
 *     run.json               format, task, name, time of creation, our version: what makes the folder a run
 *     config.unimiss.jsonc   the configuration as given
 *     config.resolved.json   the configuration with nothing left open
 *     versions.json          versions, device, executors and threads of the last start
 *     records.jsonl          steps, epochs, events
 *     measured.jsonl         fine-tuning: what evaluations found for each case
 *     images.jsonl           a keyed hash of each image that the run has read
 *     network.json           fine-tuning: what the network needs beside its weights (`NetworkPlan`)
 *     split.json             fine-tuning: cases for training, validation and test
 *     log.txt                what was said
 *     output.txt             what the process of the last start wrote to its standard streams
 *     lock                   held while a process trains; says which
 *     checkpoints/, previews/, tensorboard/
 */
export class RunFolder {
  private constructor(
    readonly folder: string,
    readonly about: RunFile,
    private readonly stored: StoredConfig,
  ) {}

  /**
   * The configuration with every choice made. @throws UnimissError 'config' if this version cannot read it: then the run can only
   * be shown
   */
  get config(): ResolvedConfig {
    const { config, problem } = this.stored;
    if (config) return config;
    throw problem ?? new UnimissError('internal', 'a run without a configuration', { place: this.folder });
  }
  /** Whether `config` can be read. */
  get readable(): boolean {
    return this.stored.config !== undefined;
  }
  /** The part of the configuration that lists show, even if it cannot be read. */
  get summary(): ConfigSummary {
    return this.stored.summary;
  }
  /** What this version ignores in the configuration. */
  get notices(): readonly string[] {
    return this.stored.notices;
  }

  /** Kind of the run. */
  get task(): string {
    return this.about.format === 1 ? 'pretrain' : this.about.task;
  }
  get id(): string {
    return basename(this.folder);
  }
  /** The configuration as it was given. */
  get configFile(): string {
    return join(this.folder, 'config.unimiss.jsonc');
  }
  get recordsFile(): string {
    return join(this.folder, 'records.jsonl');
  }
  /** The hashes of the run's images: see `ImageHashes`. */
  get imagesFile(): string {
    return join(this.folder, 'images.jsonl');
  }
  get logFile(): string {
    return join(this.folder, 'log.txt');
  }
  get outputFile(): string {
    return join(this.folder, 'output.txt');
  }
  get lockFile(): string {
    return join(this.folder, 'lock');
  }
  /** Fine-tuning: see `NetworkPlan`. */
  get networkFile(): string {
    return join(this.folder, 'network.json');
  }
  /** Fine-tuning: the cases that it trains, validates and is tested on. */
  get splitFile(): string {
    return join(this.folder, 'split.json');
  }
  get checkpointsFolder(): string {
    return join(this.folder, 'checkpoints');
  }
  get previewsFolder(): string {
    return join(this.folder, 'previews');
  }
  get tensorboardFolder(): string {
    return join(this.folder, 'tensorboard');
  }

  /** Path of a preview picture; throws if the name leads out of the folder. */
  previewFile(name: string): string {
    return inside(this.previewsFolder, name);
  }

  /**
   * Makes a folder `<name>-<time>` for a new run under `root`. `given` is the text of the configuration file. The folder is
   * private to the user (`modeOfRuns`). Throws UnimissError 'disk' if it cannot be written.
   */
  static async create(
    root: string,
    given: string,
    config: ResolvedConfig,
    now = new Date(),
    kinds: readonly ConfigKind[] = configKinds,
  ): Promise<RunFolder> {
    const { task, name } = config;
    const about: RunFile = { format: 2, task, unimiss: version, name, created: now.toISOString() };
    const summary = kindOf(config, kinds).summary(config);
    const stamp = about.created.slice(0, 19).replace(/[-:]/g, '').replace('T', '-');
    const base = inside(root, `${config.name}-${stamp}`);
    try {
      await makeFolder(root, { mode: 0o700 });
      const folder = await newFolder(base, await modeOfRuns(root));
      await mkdir(join(folder, 'checkpoints'));
      await mkdir(join(folder, 'previews'));
      await writeTextAtomically(join(folder, 'config.unimiss.jsonc'), given);
      await writeTextAtomically(join(folder, 'config.resolved.json'), json(config));
      await writeTextAtomically(join(folder, 'run.json'), json(about));
      return new RunFolder(folder, about, { config, notices: [], summary });
    } catch (error) {
      throw diskError(error, base);
    }
  }

  /**
   * Opens the folder of a run, at any path and of any earlier version. Throws UnimissError 'run' if it is no run, is damaged, or
   * comes from a newer version. An unreadable configuration throws only when `config` is read.
   */
  static async open(folder: string, kinds: readonly ConfigKind[] = configKinds): Promise<RunFolder> {
    const raw = await readJson(join(folder, 'run.json'));
    const newer = newerFormat.safeParse(raw);
    if (newer.success) {
      const { unimiss } = newer.data;
      const by = unimiss === undefined ? 'a newer UniMiSS' : `UniMiSS ${unimiss}`;
      throw new UnimissError('run', `was created by ${by}; this is version ${version}`, {
        place: folder,
        remedy:
          unimiss === undefined ? 'Update UniMiSS to open it.' : `Update UniMiSS to ${unimiss} or newer to open it.`,
      });
    }
    const about = runFileSchema.safeParse(raw);
    if (!about.success)
      throw new UnimissError('run', 'run.json does not describe a run of this version', {
        place: folder,
        remedy: `Restore the file, or choose another folder. ${z.prettifyError(about.error)}`,
      });
    const file = join(folder, 'config.resolved.json');
    return new RunFolder(folder, about.data, readStoredConfig(await readText(file), file, folder, kinds));
  }

  /** Opens a run by its name under a root; refuses names that lead elsewhere. */
  static async named(root: string, id: string, kinds?: readonly ConfigKind[]): Promise<RunFolder> {
    const folder = inside(root, id);
    if (!(await isFolder(folder)))
      throw new UnimissError('run', `there is no run "${id}" in ${root}`, {
        remedy: '`unimiss runs` lists the existing runs.',
      });
    return RunFolder.open(folder, kinds);
  }

  /**
   * Gives the run another name. Its folder keeps its own. This object keeps the old name: open the folder again.
   * @throws UnimissError 'config' if no run may have the name; 'disk' if it cannot be written
   */
  async rename(name: string): Promise<void> {
    const checked = runName.safeParse(name);
    if (!checked.success)
      throw new UnimissError('config', `${JSON.stringify(name)} is not a valid run name`, {
        remedy: runNameRule,
      });
    const file = join(this.folder, 'run.json');
    try {
      await writeTextAtomically(file, json({ ...this.about, name: checked.data }));
    } catch (error) {
      throw diskError(error, file);
    }
  }

  async writeVersions(versions: RunVersions): Promise<void> {
    await writeTextAtomically(join(this.folder, 'versions.json'), json(runVersionsSchema.parse(versions)));
  }

  /** What the last start of the run used; undefined if it was never started. */
  async versions(): Promise<RunVersions | undefined> {
    const file = join(this.folder, 'versions.json');
    const text = await readTextIfThere(file);
    if (text === undefined) return undefined;
    const versions = runVersionsSchema.safeParse(parseJson(text, file));
    if (versions.success) return versions.data;
    throw new UnimissError('run', `cannot be read: ${z.prettifyError(versions.error)}`, {
      place: file,
      remedy: 'Remove the file. The run then chooses its executors and threads again.',
    });
  }
}

const json = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;

/** `base`, or `base-2`, `base-3`, …: makes the first that does not exist, so that no two runs share one. */
async function newFolder(base: string, mode: number): Promise<string> {
  for (let n = 1; ; n++) {
    const folder = n === 1 ? base : `${base}-${n}`;
    try {
      await mkdir(folder);
      await chmod(folder, mode | ((await stat(folder)).mode & 0o2000)); // so that the umask does not change it
      return folder;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}

async function readTextIfThere(file: string): Promise<string | undefined> {
  try {
    return (await readRunFile(file))?.toString('utf8');
  } catch (cause) {
    throw cause instanceof UnimissError ? cause : unreadable(file, messageOf(cause), cause);
  }
}

async function readText(file: string): Promise<string> {
  const text = await readTextIfThere(file);
  if (text === undefined) throw unreadable(file, 'no such file');
  return text;
}

function unreadable(file: string, why: string, cause?: unknown): UnimissError {
  return new UnimissError('run', `cannot be read: ${why}`, {
    place: file,
    remedy: 'Is this the folder of a run? Check its permissions.',
    cause,
  });
}

async function readJson(file: string): Promise<unknown> {
  return parseJson(await readText(file), file);
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UnimissError('run', `is not JSON: ${messageOf(cause)}`, {
      place: file,
      remedy: 'Restore it from a backup. UniMiSS only replaces this file as a whole.',
      cause,
    });
  }
}
