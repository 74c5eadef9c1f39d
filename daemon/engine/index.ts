export type { Attr, Attrs } from './attributes.ts';
export { type Engine, openEngine } from './engine.ts';
export { chooseExecutor, type ExecutorChoiceOptions, knownMilliseconds } from './executorChoice.ts';
export type { Device, DeviceMemory } from './platform.ts';
export type { EngineOptions } from './session.ts';
export { type AdamScalars, type AdamVariables, accumulate, adam, decay, follow, momentum, sgd } from './stateOps.ts';
export { CompiledStep } from './step.ts';
export type { Executor, StepDefinition, StepInput, StepValue } from './stepDefinition.ts';
export type { Effect, Variable } from './variable.ts';
