import { type ConfigKind, kindNamed } from './kind.ts';
import { misspelled } from './nearest.ts';

/**
 * The kind with this value of `task`; the first kind where the value is undefined, as in a file without the field.
 * @returns the kind, or what is wrong with the value and which ones are valid
 */
export function chooseKind(
  task: unknown,
  kinds: readonly ConfigKind[],
): { kind: ConfigKind } | { message: string; remedy: string; replacement?: string } {
  const kind = kindNamed(task, kinds);
  if (kind) return { kind };
  const names = kinds.map((one) => one.task);
  const meant = typeof task === 'string' ? misspelled(task, names) : undefined;
  return {
    message: `this version has no task ${JSON.stringify(task)}`,
    remedy: `${meant === undefined ? '' : `Did you mean "${meant}"? `}Valid: ${names.map((name) => `"${name}"`).join(', ')}.`,
    ...(meant !== undefined && { replacement: JSON.stringify(meant) }),
  };
}
