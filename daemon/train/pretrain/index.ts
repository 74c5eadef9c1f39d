export { createPretrainState, type PretrainState } from './state.ts';
export { createPretrainStep } from './step.ts';
export type * from './types.ts';
