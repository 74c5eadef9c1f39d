import type { CaptureSink, EagerTensor } from '../kernelBinding.ts';
import { isSmallConstant } from '../kernelBinding.ts';
import type { NodeOutput, Trace } from '../trace.ts';
import type { CApi, Pointer } from './cApi.ts';
import { checkStatus } from './status.ts';

/** A tensor in TensorFlow's memory. */
export interface EagerValue extends EagerTensor {
  readonly handle: Pointer;
}

/**
 * The eager tensors that a trace uses, and their nodes in its graph: a constant for a small tensor that the step's body made from
 * values, an input of the function for any other.
 */
export class Captures implements CaptureSink<EagerValue> {
  /** Separate handles on the tensors that became inputs, in the order of the inputs. */
  readonly captured: Pointer[] = [];
  private readonly nodes = new Map<number, NodeOutput>();

  constructor(
    private readonly c: CApi,
    private readonly status: Pointer,
    private readonly trace: Trace<Pointer, Pointer>,
  ) {}

  /** The node for a tensor, the same in each call. @param id the tensor's id in the binding */
  placeholderFor(id: number, value: EagerValue): NodeOutput {
    const known = this.nodes.get(id);
    if (known) return known;
    const node = isSmallConstant(value, this.trace) ? this.constant(value) : this.input(value);
    this.nodes.set(id, node);
    return node;
  }

  /** Frees the handles, for a trace that failed. */
  release(): void {
    for (const handle of this.captured) this.c.TFE_DeleteTensorHandle(handle);
  }

  private constant({ handle, dtype, shape }: EagerValue): NodeOutput {
    const { c, status, trace } = this;
    const tensor = c.TFE_TensorHandleResolve(handle, status) as Pointer;
    checkStatus(c, status, () => `constant of step ${trace.name}`);
    try {
      return trace.constant(dtype, shape, tensor);
    } finally {
      c.TF_DeleteTensor(tensor);
    }
  }

  private input({ handle, dtype, shape }: EagerValue): NodeOutput {
    const { c, status, trace } = this;
    const own = c.TFE_TensorHandleCopySharingTensor(handle, status) as Pointer;
    checkStatus(c, status, () => `input of step ${trace.name}`);
    this.captured.push(own);
    return trace.parameter(dtype, shape);
  }
}
