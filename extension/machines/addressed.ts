import { l10n } from 'vscode';
import { UnimissError } from '../../protocol/errors.ts';
import { addressOf, parseAddress } from '../../protocol/machines/address.ts';
import type { RunInfo } from '../../protocol/runs/runInfo.ts';

/** A run as the daemon of a machine describes it, with addresses instead of paths. */
export function addressed<R extends Pick<RunInfo, 'folder' | 'from'>>(machine: string | undefined, run: R): R {
  if (machine === undefined) return run;
  const from = run.from?.startsWith('/') ? addressOf(machine, run.from) : run.from;
  return { ...run, folder: addressOf(machine, run.folder), from };
}

/** Answers that are a run; others pass unchanged: their paths are those of the machine. */
export function addressedAnswer(machine: string, answer: unknown): unknown {
  return isRun(answer) ? addressed(machine, answer) : answer;
}

/**
 * The machine that a request is for, by the addresses among its params, and the params with paths instead of them.
 * @throws UnimissError 'run' if they are of several machines
 */
export function routed<P>(params: P): { machine: string | undefined; params: P } {
  const machines = new Set<string | undefined>();
  const plain = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(plain);
    if (typeof value !== 'string') return value;
    const { machine, path } = parseAddress(value);
    if (machine !== undefined) machines.add(machine);
    return path;
  };
  if (typeof params !== 'object' || params === null) return { machine: undefined, params };
  const { run, runs } = params as { run?: unknown; runs?: unknown };
  for (const one of [run, ...(Array.isArray(runs) ? runs : [])])
    if (typeof one === 'string') machines.add(parseAddress(one).machine);
  const changed = Object.fromEntries(Object.entries(params).map(([name, value]) => [name, plain(value)])) as P;
  if (machines.size > 1)
    throw new UnimissError('run', l10n.t('these runs are on {0} machines', machines.size), {
      remedy: l10n.t('Choose runs on the same machine.'),
    });
  const [machine] = machines;
  return machine === undefined ? { machine, params } : { machine, params: changed };
}

function isRun(value: unknown): value is RunInfo {
  return typeof value === 'object' && value !== null && 'folder' in value && 'task' in value && 'activity' in value;
}
