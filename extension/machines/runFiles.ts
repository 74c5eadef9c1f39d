import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { l10n } from 'vscode';
import { runRead } from '../../protocol/daemon/messages.ts';
import { UnimissError } from '../../protocol/errors.ts';
import { parseAddress } from '../../protocol/machines/address.ts';
import type { RunInfo } from '../../protocol/runs/runInfo.ts';
import type { Context } from '../context.ts';

type Run = Pick<RunInfo, 'folder' | 'id'>;

/** Whether a run is on this machine. */
export function isHere({ folder }: Pick<RunInfo, 'folder'>): boolean {
  return parseAddress(folder).machine === undefined;
}

/** @throws UnimissError 'run' if the run is on another machine, whose paths are not those of this one */
export function requireHere({ folder, id }: Run, what: string): void {
  const { machine, path } = parseAddress(folder);
  if (machine === undefined) return;
  throw new UnimissError('run', l10n.t('is on {0}, and {1}', machine, what), {
    place: id,
    remedy: l10n.t(
      'Copy the run first: rsync -av {0}:{1} . Or open a window on {2} with Remote-SSH.',
      machine,
      path,
      machine,
    ),
  });
}

/**
 * A file of a run, on this machine: the file itself, or a copy of one on another machine.
 * @param path as the run's daemon names it: absolute, in the run's folder
 * @returns absolute path
 */
export async function fileHere(ctx: Pick<Context, 'daemon' | 'extension'>, run: Run, path: string): Promise<string> {
  const { machine, path: folder } = parseAddress(run.folder);
  if (machine === undefined) return path;
  const relative = posix.relative(folder, path);
  const copies = join(ctx.extension.globalStorageUri.fsPath, 'copies', encodeURIComponent(machine), run.id);
  const copy = join(copies, ...relative.split('/').map((part) => part.replace(/[^\w.-]/g, '_')));
  await copyHere(ctx, run, relative, copy);
  return copy;
}

/** Copies a file of a run on another machine to `to`; all of it or nothing. */
export async function copyHere(ctx: Pick<Context, 'daemon'>, run: Run, file: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  const partial = `${to}.partial`;
  const handle = await open(partial, 'w', 0o600);
  try {
    for (let offset = 0, size = 1; offset < size; ) {
      const piece = await ctx.daemon.request(runRead, { run: run.folder, file, offset });
      const bytes = Buffer.from(piece.data, 'base64');
      if (bytes.length === 0 && offset < piece.size)
        throw new UnimissError('run', l10n.t('became shorter while it was copied'), {
          place: file,
          remedy: l10n.t('Try again.'),
        });
      await handle.write(bytes, 0, bytes.length, offset);
      offset += bytes.length;
      size = piece.size;
    }
    await handle.close();
    await rename(partial, to);
  } catch (error) {
    await handle.close();
    await rm(partial, { force: true });
    throw error;
  }
}
