/** The command that starts a process of this program for a run or a job: `file` with `args`, then its own arguments. */
export interface TrainerCommand {
  file: string;
  args: string[];
  env?: NodeJS.ProcessEnv;
}
