import { embed } from '../../../protocol/jobs/embedMessages.ts';
import { jobInProcess } from '../../runs/jobs/jobProcess.ts';
import type { TrainerCommand } from '../../runs/supervise/trainerProcess.ts';
import { type Handler, handle } from '../wire/handler.ts';
import { absolute } from './absolute.ts';
import type { Services } from './services.ts';
import { WorkDone } from './workDone.ts';

/** @param command how the process for a job is started */
export function embedHandlers({ registry }: Services, command: TrainerCommand): Handler[] {
  return [
    handle(embed, async ({ workDoneToken, ...task }, { send, signal }) => {
      for (const path of [task.data, task.manifest, task.out]) if (path !== undefined) absolute(path);
      const { folder } = await registry.find(task.run);
      const progress = new WorkDone(send, workDoneToken);
      progress.begin('Features');
      try {
        const job = { type: 'embed' as const, task: { ...task, run: folder } };
        const result = await jobInProcess(command, job, signal, (what, done, total) =>
          progress.report(what, done, total),
        );
        return embed.result.parse(result);
      } finally {
        progress.end();
      }
    }),
  ];
}
