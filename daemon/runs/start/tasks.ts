import { finetuneTask } from './finetune/task.ts';
import { pretrainTask } from './pretrain/task.ts';
import type { Task } from './task.ts';

/** The only list of the kinds of runs. Programs pass it down from their entry functions; nothing below imports it. */
export const tasks: readonly Task[] = [pretrainTask, finetuneTask];
