import { UnimissError } from '../../../protocol/errors.ts';
import { DataType, dtypeName } from '../dataType.ts';
import { type CaptureSink, isSmallConstant } from '../kernelBinding.ts';
import type { NodeOutput, Trace } from '../trace.ts';
import type { Pointer } from './api.ts';
import type { HostTensor } from './binding.ts';
import type { ArrayType, PjrtClient } from './client.ts';
import type { HostArray } from './elementType.ts';
import type { StableHloModule } from './moduleWriter.ts';
import { explained } from './pjrtError.ts';
import type { PjrtVariable } from './variable.ts';

/** What an argument of a step is besides its declared inputs: a variable, or a tensor that was copied to the device. */
export type Captured = PjrtVariable | Pointer;

/** The tensors and variables that a trace uses, and their nodes. */
export class PjrtCaptures implements CaptureSink<HostTensor> {
  /** In the order of their arguments. The buffers among them are ours. */
  readonly captured: Captured[] = [];
  private readonly nodes = new Map<number, NodeOutput>();
  private readonly variables = new Map<PjrtVariable, NodeOutput>();

  constructor(
    private readonly client: PjrtClient,
    private readonly trace: Trace<HostArray, StableHloModule>,
  ) {}

  placeholderFor(id: number, value: HostTensor): NodeOutput {
    const node = this.nodes.get(id) ?? this.nodeFor(value);
    this.nodes.set(id, node);
    return node;
  }

  release(): void {
    for (const captured of this.captured) if (typeof captured === 'bigint') this.client.free(captured);
    this.captured.length = 0;
  }

  private nodeFor(tensor: HostTensor): NodeOutput {
    const { dtype, shape, values, variable } = tensor;
    if (variable) {
      const node = this.variables.get(variable) ?? this.trace.parameter(DataType.resource, variable.type.shape);
      if (!this.variables.has(variable)) this.captured.push(variable);
      this.variables.set(variable, node);
      return node;
    }
    if (!values)
      throw new UnimissError('engine', `a tensor of ${dtypeName(dtype)} has no values`, { place: this.trace.name });
    if (isSmallConstant(tensor, this.trace)) return this.trace.constant(dtype, shape, values);
    this.captured.push(this.put({ dtype, shape }, values));
    return this.trace.parameter(dtype, shape);
  }

  private put(type: ArrayType, values: HostArray): Pointer {
    try {
      return this.client.put(type, values);
    } catch (error) {
      throw explained(error, `a constant of step ${this.trace.name}`);
    }
  }
}
