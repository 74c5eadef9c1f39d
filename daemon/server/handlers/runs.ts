import { dirname } from 'node:path';
import { type ResolvedConfig, resolveConfig } from '../../../protocol/config/index.ts';
import { makeConfig } from '../../../protocol/config/makeConfig.ts';
import { parseConfig } from '../../../protocol/config/parseConfig.ts';
import type { CheckedParamsOf } from '../../../protocol/daemon/rpc.ts';
import { type Forecast, runForecast } from '../../../protocol/runs/forecast.ts';
import {
  runContinue,
  runCreate,
  runDelete,
  runGet,
  runKill,
  runMove,
  runPause,
  runRename,
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
import { type Handler, handle, type RequestContext } from '../wire/handler.ts';
import { absolute } from './absolute.ts';
import type { Services } from './services.ts';
import { WorkDone } from './workDone.ts';

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
    handle(runForecast, (params, { send, signal }) =>
      forecast(params, { tasks: services.tasks, usualRoot: registry.root, send, signal }),
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
    handle(runMove, ({ run, place }) => act((s, folder) => s.moveInQueue(folder, place))({ run })),
    handle(runRename, async ({ run: ref, name }) => {
      const run = await registry.find(ref);
      await run.rename(name);
      registry.forget(run.folder);
      services.changed(run.folder);
      return registry.info(await registry.find(run.folder));
    }),
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
  const folder = absolute(root ?? usualRoot);
  const { text, config } = configOf(from, tasks, notice);
  await checkRunnable(config, folder, tasks);
  return RunFolder.create(folder, text, config, new Date(), kindsOf(tasks));
}

/** The configuration that a client names. @throws UnimissError 'config' */
function configOf(
  from: CheckedParamsOf<typeof runCreate>['from'],
  tasks: readonly Task[],
  notice: (message: string) => void,
): { text: string; config: ResolvedConfig } {
  const kinds = kindsOf(tasks);
  const { text, file } =
    'config' in from ? { text: from.config, file: from.file } : { text: makeConfig(from, kinds), file: '/folders' };
  const parsed = parseConfig(text, absolute(file), { kinds, notice });
  return { text, config: resolveConfig(parsed, { baseDir: dirname(file) }, kinds) };
}

/** Answers `runForecast`. What computes it is loaded with the first question. */
async function forecast(
  { from, root, workDoneToken }: CheckedParamsOf<typeof runForecast>,
  {
    tasks,
    usualRoot,
    send,
    signal,
  }: { tasks: readonly Task[]; usualRoot: string } & Pick<RequestContext, 'send' | 'signal'>,
): Promise<Forecast> {
  const notices: string[] = [];
  const { config } = configOf(from, tasks, (message) => notices.push(message));
  const { forecastOf } = await import('../../runs/forecast/forecastOf.ts');
  const progress = new WorkDone(send, workDoneToken);
  progress.begin('Looking at the images');
  try {
    const onProgress = (done: number, total: number) => progress.report('Read', done, total);
    return await forecastOf(config, { root: absolute(root ?? usualRoot), tasks, notices, signal, onProgress });
  } finally {
    progress.end();
  }
}
