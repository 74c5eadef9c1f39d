import { pretrainTask } from './pretrain/task.ts';
import type { Task } from './task.ts';

/** The kinds of runs: the only list of them. Programs hand it down from their entry functions; nothing below imports it. */
export const tasks: readonly Task[] = [pretrainTask];
