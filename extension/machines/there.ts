import { homedir } from 'node:os';
import { posix } from 'node:path';
import type { Uri } from 'vscode';
import { addressOf, parseAddress } from '../../protocol/machines/address.ts';
import type { RunInfo } from '../../protocol/runs/runInfo.ts';
import type { Context, ContextAt } from '../context.ts';

/** For what is done with a run, on its machine. */
export function where(ctx: Context, { folder }: Pick<RunInfo, 'folder'>): ContextAt {
  return onMachine(ctx, parseAddress(folder).machine);
}

/** For what is done on a machine; undefined: this one. */
export function onMachine(ctx: Context, machine: string | undefined): ContextAt {
  return { ...ctx, daemon: ctx.daemon.at(machine) };
}

/** One of two whole texts, since languages put the name of a machine into different places: for this machine, or for another one. */
export function byMachine(machine: string | undefined, here: string, there: (machine: string) => string): string {
  return machine === undefined ? here : there(machine);
}

/** A run's folder as its machine has it. */
export function folderThere({ folder }: Pick<RunInfo, 'folder'>): string {
  return parseAddress(folder).path;
}

/** What `path` on the machine of a context is here: itself, or its address. */
export function addressThere({ daemon }: ContextAt, path: string): string {
  return addressOf(daemon.machine, path);
}

/** The folder that holds the folder of runs on a machine, usually the user's home: where relative paths start there. */
export function homeThere({ daemon }: ContextAt): string {
  const { machine, state } = daemon;
  if (machine === undefined) return homedir();
  return state.kind === 'connected' ? posix.dirname(state.runsRoot) : '/';
}

/** The file of a configuration as the daemon of a machine is told: relative paths in it start at its folder. */
export function fileThere(ctx: ContextAt, file: Uri): string {
  if (ctx.daemon.machine === undefined) return file.fsPath;
  return posix.join(homeThere(ctx), posix.basename(file.path));
}
