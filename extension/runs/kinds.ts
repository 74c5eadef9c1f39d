import type { RunInfo } from '../../protocol/runs/runInfo.ts';

/** What can be done with a run depends on its kind (protocol/task.ts). */
export const isPretraining = ({ task }: RunInfo): boolean => task === 'pretrain';
export const isFinetuning = ({ task }: RunInfo): boolean => task === 'finetune';
