import { readFile, rm } from 'node:fs/promises';
import { z } from 'zod';
import { messageOf } from '../../../protocol/errors.ts';
import { writeAtomically } from '../../files/atomic.ts';

const schema = z.object({ format: z.literal(1), runs: z.array(z.string().startsWith('/')) });

/**
 * The runs that wait for their device, in a file beside the daemon's socket, so that the next daemon queues them again. There is
 * no file if none waits. A failure is logged: it costs the queue only if the daemon dies.
 */
export class SavedQueue {
  private written: string | undefined;
  private last: Promise<void> = Promise.resolve();

  /** @param file in a folder that is private to the user */
  constructor(
    private readonly file: string,
    private readonly warn: (message: string) => void,
  ) {}

  /** Resolves when all queues so far are on the disk. */
  get saved(): Promise<void> {
    return this.last;
  }

  /** @param runs folders, in the order of the queue */
  save(runs: readonly string[]): Promise<void> {
    const text = `${JSON.stringify({ format: 1, runs })}\n`;
    if (text === this.written) return this.last;
    this.written = text;
    this.last = this.last
      .then(() =>
        runs.length === 0
          ? rm(this.file, { force: true })
          : writeAtomically(this.file, (handle) => handle.writeFile(text), { mode: 0o600 }),
      )
      .catch((error) => this.warn(`cannot save the queue in ${this.file}: ${messageOf(error)}`));
    return this.last;
  }

  /** The folders of the runs that waited last. */
  async load(): Promise<readonly string[]> {
    try {
      return schema.parse(JSON.parse(await readFile(this.file, 'utf8'))).runs;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT'))
        this.warn(`cannot read the queue in ${this.file}: ${messageOf(error)}`);
      return [];
    }
  }
}
