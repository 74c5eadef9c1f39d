/** The kinds of runs, as the field `task` of a configuration names them. */
export type TaskName = 'pretrain' | 'finetune';
