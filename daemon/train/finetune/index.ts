/**
 * Fine-tuning's networks and their step. A run makes a state (`createFineTuneState`), compiles steps over it (`createFineTuneStep`)
 * and a forward pass for validation (`createForward`); the state is what its checkpoints keep.
 */
export { createForward, type DownstreamNetwork, type Forward, type ForwardOptions } from './forward.ts';
export { createFineTuneState, type FineTuneState } from './state.ts';
export { createFineTuneStep } from './step.ts';
export type * from './types.ts';
