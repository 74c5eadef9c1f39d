import { type Tensor, tidy } from '@tensorflow/tfjs-core';
import { DataType, dtypeName } from './dataType.ts';
import type { KernelBinding } from './kernelBinding.ts';
import { dtypeOf, type Executor, inputsOf, outputsOf, refusal, type StepDefinition } from './stepDefinition.ts';
import { forbiddingRandomness, type NodeOutput, type Trace } from './trace.ts';

/** What a trace needs of the session. */
export interface Tracer {
  readonly binding: KernelBinding;
  withExecutor<T>(executor: Executor, body: () => T): T;
  wrap(value: { id: number; shape: number[]; dtype: number }): Tensor;
  id(tensor: Tensor): number;
}

/** Runs a step's body inside the trace, with placeholders for its inputs. @returns the nodes of its outputs, by name */
export function traceBody<I extends string, O extends string>(
  session: Tracer,
  definition: StepDefinition<I, O>,
  trace: Trace,
): [O, NodeOutput][] {
  const { binding } = session;
  const parameters = inputsOf(definition).map(
    ([name, input]) => [name, trace.parameter(dtypeOf(input), input.shape)] as const,
  );
  let nodes: [O, NodeOutput][] = [];
  const body = () => {
    const inputs = parameters.map(([name, node]) => [name, session.wrap(binding.adoptNode(node))] as const);
    nodes = outputsOf(definition, Object.fromEntries(inputs) as Record<I, Tensor>).map(([name, tensor]) => {
      const node = binding.nodeOf(trace, session.id(tensor));
      checkReadable(definition, name, node);
      return [name, node];
    });
  };
  forbiddingRandomness(definition.name, () => session.withExecutor(definition.executor, () => tidy(body)));
  return nodes;
}

const readableTypes = new Set<number>([
  DataType.float32,
  DataType.float64,
  DataType.int32,
  DataType.int64,
  DataType.uint8,
  DataType.bool,
]);

/** Refuses an unreadable output now: after a run, the step would already have had its effects. */
function checkReadable(definition: Pick<StepDefinition, 'name'>, output: string, { dtype, shape }: NodeOutput): void {
  if (readableTypes.has(dtype)) return;
  throw refusal(
    definition,
    dtype === 0
      ? `output "${output}" is the effect of an op, not a value`
      : `output "${output}" is ${dtypeName(dtype)}[${shape}], which cannot be read; cast it first`,
  );
}
