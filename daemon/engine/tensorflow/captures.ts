import { sizeOf } from '../dataType.ts';
import type { NodeOutput, Trace } from '../trace.ts';
import type { CApi, Pointer } from './cApi.ts';
import { checkStatus } from './status.ts';

/** A tensor in TensorFlow's memory. `madeIn` is the trace in which JavaScript made it from values. */
export interface EagerValue {
  readonly handle: Pointer;
  readonly dtype: number;
  readonly shape: number[];
  readonly madeIn?: Trace;
}

/** Largest number of elements of a constant: graphs are copied many times before their first execution. */
const LARGEST_CONSTANT = 16_384;

/**
 * The eager tensors that a trace uses, and their nodes in its graph: a constant for a small tensor that the step's body made from
 * values, an input of the function for any other.
 */
export class Captures {
  /** Separate handles on the tensors that became inputs, in the order of the inputs. */
  readonly captured: Pointer[] = [];
  private readonly nodes = new Map<number, NodeOutput>();

  constructor(
    private readonly c: CApi,
    private readonly status: Pointer,
    private readonly trace: Trace,
  ) {}

  /** The node for a tensor, the same in each call. @param id the tensor's id in the binding */
  placeholderFor(id: number, value: EagerValue): NodeOutput {
    const known = this.nodes.get(id);
    if (known) return known;
    const small = value.madeIn === this.trace && sizeOf(value.shape) <= LARGEST_CONSTANT;
    const node = small ? this.constant(value) : this.input(value);
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
