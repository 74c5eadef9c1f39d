import type { Attrs } from '../attributes.ts';
import { DataType } from '../dataType.ts';
import { KernelBinding, type Metadata, type OpInput } from '../kernelBinding.ts';
import type { TensorValues } from '../tensorValues.ts';
import { describeCall } from '../trace.ts';
import type { CApi, Pointer } from './cApi.ts';
import type { EagerValue } from './captures.ts';
import { setAttribute } from './setAttribute.ts';
import { checkStatus } from './status.ts';
import { describeHandle, handleValues, newHandle, newStringHandle } from './tensors.ts';

/** Room for unused results: TensorFlow refuses to execute an op with room for fewer results than it has. */
const SPARE_OUTPUTS = 16;

/** The kernels' binding over TensorFlow's C API. Outside a trace, an op executes at once (TFE_Execute). */
export class Binding extends KernelBinding<EagerValue> {
  readonly TF_Version: string;

  constructor(
    readonly c: CApi,
    readonly context: Pointer,
    readonly status: Pointer,
    private readonly gpu: boolean,
  ) {
    super();
    this.TF_Version = c.TF_Version() as string;
  }

  isUsingGpuDevice(): boolean {
    return this.gpu;
  }

  protected makeEager(dtype: number, shape: number[], values: TensorValues | number[]): EagerValue {
    const { c, context, status } = this;
    const handle =
      dtype === DataType.string
        ? newStringHandle(c, context, status, shape, values as Uint8Array[])
        : newHandle(c, status, dtype, shape, values);
    return { handle, dtype, shape };
  }

  protected freeEager({ handle }: EagerValue): void {
    this.c.TFE_DeleteTensorHandle(handle);
  }

  protected readEager({ handle, dtype, shape }: EagerValue): TensorValues {
    return handleValues(this.c, this.status, handle, dtype, shape);
  }

  protected executeEager(type: string, inputs: readonly OpInput[], attrs: Attrs, outputs: number): Metadata[] {
    const { c, status } = this;
    const flat = inputs.flat().map((id) => this.eager(id, type));
    const place = () => describeCall(type, flat);
    const op = c.TFE_NewOp(this.context, type, status) as Pointer;
    checkStatus(c, status, place);
    try {
      for (const input of inputs) {
        if (typeof input === 'number') c.TFE_OpAddInput(op, this.eager(input, type).handle, status);
        else
          c.TFE_OpAddInputList(
            op,
            BigUint64Array.from(input, (id) => this.eager(id, type).handle),
            input.length,
            status,
          );
        checkStatus(c, status, place);
      }
      for (const [name, attr] of Object.entries(attrs))
        setAttribute(c, { kind: 'eager', pointer: op }, name, attr, status);
      const results = new BigUint64Array(Math.max(outputs, SPARE_OUTPUTS));
      const count = new Int32Array([results.length]);
      c.TFE_Execute(op, results, count, status);
      checkStatus(c, status, place);
      for (const unwanted of results.subarray(outputs, count[0])) c.TFE_DeleteTensorHandle(unwanted);
      return Array.from(results.subarray(0, Math.min(outputs, count[0] as number)), (handle) =>
        this.adoptEager({ handle, ...describeHandle(c, status, handle) }),
      );
    } finally {
      c.TFE_DeleteOp(op);
    }
  }
}
