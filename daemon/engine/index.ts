export type { Attr, Attrs } from './attributes.ts';
export { currentEngine } from './current.ts';
export { type Device, type Engine, type EngineOptions, openEngine } from './engine.ts';
export { chooseExecutor, type ExecutorChoiceOptions } from './executor-choice.ts';
export { controlled, type RawInput, rawOp, rawOps } from './raw-op.ts';
export {
  CompiledStep,
  currentExecutor,
  type Executor,
  type StepDefinition,
  type StepInput,
  type StepValue,
} from './step.ts';
export type { Variable } from './variable.ts';
