/** How a process of this program is started for a run or a job: `file` with `args`, then what it is about. */
export interface TrainerCommand {
  file: string;
  args: string[];
  env?: NodeJS.ProcessEnv;
}
