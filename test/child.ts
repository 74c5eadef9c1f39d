import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'esbuild';
import { withoutUsers } from './environment.ts';

/**
 * Bundles a TypeScript text into a script that node can run as a separate process; `imports` in it start at the repository's
 * root. Returns its path, in `folder`.
 */
export async function bundleChild(contents: string, folder: string): Promise<string> {
  const outfile = join(folder, 'child.cjs');
  await build({
    stdin: { contents, resolveDir: resolve('.'), loader: 'ts' },
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    external: ['koffi'],
    logLevel: 'error',
  });
  return outfile;
}

/** A started child: its lines are awaited one by one; a child that ends without one rejects with what it wrote to standard error. */
export class Child {
  private readonly lines: AsyncIterator<string>;
  private errors = '';
  constructor(readonly process: ChildProcess) {
    this.lines = createInterface({ input: process.stdout! })[Symbol.asyncIterator]();
    process.stderr!.on('data', (data: Buffer) => {
      this.errors += data.toString();
    });
  }

  static start(script: string, args: string[] = []): Child {
    return new Child(
      spawn(process.execPath, [script, ...args], {
        env: { ...withoutUsers(process.env), NODE_PATH: resolve('node_modules') },
      }),
    );
  }

  async line(): Promise<string> {
    const { value, done } = await this.lines.next();
    if (done) throw new Error(`the child ended: ${this.errors}`);
    return value;
  }

  /** Sends a signal and waits until the process is gone. @returns the signal that ended it; null if it ended by itself */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<NodeJS.Signals | null> {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      const gone = once(this.process, 'exit');
      this.process.kill(signal);
      await gone;
    }
    return this.process.signalCode;
  }
}
