import { dirname } from 'node:path';
import { resolveConfig } from '../../../protocol/config/index.ts';
import { makeConfig } from '../../../protocol/config/makeConfig.ts';
import { parseConfig } from '../../../protocol/config/parseConfig.ts';
import type { CheckedParamsOf } from '../../../protocol/daemon/rpc.ts';
import {
  runContinue,
  runCreate,
  runDelete,
  runGet,
  runKill,
  runPause,
  runStart,
  runStop,
  runsList,
  runsWatch,
} from '../../../protocol/runs/messages.ts';
import type { RunInfo } from '../../../protocol/runs/runInfo.ts';
import { RunFolder } from '../../runs/folder/runFolder.ts';
import { checkRunnable } from '../../runs/start/checkRunnable.ts';
import { kindsOf, type Task } from '../../runs/start/task.ts';
import type { Supervisor } from '../../runs/supervise/supervisor.ts';
import { moveToTrash } from '../../runs/supervise/trash.ts';
import { RunsSubscription } from '../feeds/runsSubscription.ts';
import { type Handler, handle } from '../wire/handler.ts';
import { absolute } from './absolute.ts';
import type { Services } from './services.ts';

export function runHandlers(services: Services): Handler[] {
  const { registry, supervisor } = services;
  /** Does something with a run, and answers with its new state. */
  const act =
    (action: (supervisor: Supervisor, run: RunFolder) => void | Promise<void>) =>
    async ({ run: ref }: { run: string }): Promise<RunInfo> => {
      const run = await registry.find(ref);
      await action(supervisor, run);
      return registry.info(run);
    };
  return [
    handle(runsList, ({ root }) => registry.list(root === undefined ? undefined : absolute(root))),
    handle(runsWatch, async (_, { subscribe, send }) => {
      const first = await registry.list();
      const subscription = await subscribe((id, failed) => new RunsSubscription(id, first, registry, send, failed));
      return { ...first, subscription };
    }),
    handle(
      runGet,
      act(() => {}),
    ),
    handle(runCreate, async (params) => {
      const notices: string[] = [];
      const run = await createRun(params, registry.root, services.tasks, (message) => notices.push(message));
      if (params.start) await supervisor.start(run, { wait: params.wait });
      services.changed(run.folder);
      return { ...(await registry.info(run)), notices };
    }),
    handle(runStart, ({ run, wait }) => act((s, folder) => s.start(folder, { wait }))({ run })),
    handle(
      runPause,
      act((s, run) => s.pause(run)),
    ),
    handle(
      runContinue,
      act((s, run) => s.continue(run)),
    ),
    handle(
      runStop,
      act((s, run) => s.stop(run)),
    ),
    handle(
      runKill,
      act((s, run) => s.kill(run)),
    ),
    handle(runDelete, async ({ run: ref }) => {
      const run = await registry.find(ref);
      const trash = await moveToTrash(run, supervisor);
      void services.tidy(dirname(run.folder));
      registry.forget(run.folder);
      services.changed();
      return { trash };
    }),
  ];
}

async function createRun(
  { from, root }: CheckedParamsOf<typeof runCreate>,
  usualRoot: string,
  tasks: readonly Task[],
  notice: (message: string) => void,
): Promise<RunFolder> {
  const kinds = kindsOf(tasks);
  const given =
    'config' in from ? { text: from.config, file: from.file } : { text: makeConfig(from, kinds), file: '/folders' };
  for (const path of [given.file, root ?? usualRoot]) absolute(path);
  const parsed = parseConfig(given.text, given.file, { kinds, notice });
  const config = resolveConfig(parsed, { baseDir: dirname(given.file) }, kinds);
  await checkRunnable(config, root ?? usualRoot, tasks);
  return RunFolder.create(root ?? usualRoot, given.text, config, new Date(), kinds);
}
