import type { RunInfo } from '../../protocol/runs/runInfo.ts';
import type { RunStore } from './runStore.ts';

/**
 * The runs that a context menu is for: all that are selected if several are, else the one that was clicked. Rows below a run and
 * groups do not count.
 */
export function selectedRuns(store: Pick<RunStore, 'get'>, given: unknown, selected: unknown): RunInfo[] {
  const elements = Array.isArray(selected) && selected.length > 1 ? selected : [given];
  return elements.flatMap((element) => {
    const run = isRun(element) ? store.get(element.folder) : undefined;
    return run ? [run] : [];
  });
}

function isRun(element: unknown): element is { folder: string } {
  return (
    typeof element === 'object' &&
    element !== null &&
    'folder' in element &&
    typeof element.folder === 'string' &&
    (!('kind' in element) || element.kind === 'run')
  );
}
