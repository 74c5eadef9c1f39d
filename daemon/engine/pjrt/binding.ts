import { UnimissError } from '../../../protocol/errors.ts';
import type { Attrs } from '../attributes.ts';
import { DataType, dtypeName, sizeOf } from '../dataType.ts';
import { type EagerTensor, KernelBinding, type Metadata, type OpInput } from '../kernelBinding.ts';
import type { TensorValues } from '../tensorValues.ts';
import { describeCall } from '../trace.ts';
import { elementTypeOf, type HostArray } from './elementType.ts';
import type { PjrtVariable } from './variable.ts';

/** A tensor outside of a step: values in JavaScript's memory, or a variable's handle. */
export interface HostTensor extends EagerTensor {
  readonly values?: HostArray;
  readonly variable?: PjrtVariable;
}

/**
 * The kernels' binding for PJRT. Ops run in compiled steps; outside of one there are only values to make and to read, and
 * variables.
 */
export class PjrtBinding extends KernelBinding<HostTensor> {
  constructor(
    readonly TF_Version: string,
    private readonly gpu: boolean,
  ) {
    super();
  }

  isUsingGpuDevice(): boolean {
    return this.gpu;
  }

  /** Registers a variable's handle. */
  adoptVariable(variable: PjrtVariable): Metadata {
    return this.adoptEager({ dtype: DataType.resource, shape: [], variable });
  }

  protected makeEager(dtype: number, shape: number[], values: TensorValues | number[]): HostTensor {
    const copy = hostArray(dtype, values);
    const bytes = sizeOf(shape) * (elementTypeOf(dtype)?.bytes ?? 0);
    if (copy.byteLength !== bytes)
      throw new UnimissError(
        'engine',
        `${copy.byteLength} bytes given for ${dtypeName(dtype)}[${shape}], which has ${bytes}`,
        { place: 'tensor' },
      );
    return { dtype, shape, values: copy };
  }

  protected freeEager(): void {}

  protected readEager({ values, dtype }: HostTensor): TensorValues {
    if (!values || values instanceof Uint16Array)
      throw new UnimissError('engine', `values of ${dtypeName(dtype)} cannot be read; cast them first`, {
        place: 'tensor',
      });
    return values.slice();
  }

  protected executeEager(type: string, inputs: readonly OpInput[], _attrs: Attrs, _outputs: number): Metadata[] {
    const operands = inputs.flat().map((id) => this.eager(id, type));
    const [first, second] = operands;
    const { variable } = first ?? {};
    if (type === 'ReadVariableOp' && variable)
      return [this.adoptEager({ dtype: DataType.float32, shape: [...variable.type.shape], values: variable.value() })];
    if (type === 'AssignVariableOp' && variable && second?.values instanceof Float32Array) {
      variable.assign(second.values);
      return [];
    }
    if (type === 'DestroyResourceOp' && variable) {
      variable.dispose();
      return [];
    }
    throw new UnimissError('engine', 'PJRT executes compiled steps, no single ops', {
      place: describeCall(type, operands),
      remedy: 'Set engine.executor to "xla".',
    });
  }
}

/** A copy of values as an array of their type. */
function hostArray(dtype: number, values: TensorValues | number[]): HostArray {
  const numbers = values as ArrayLike<number>;
  switch (dtype) {
    case DataType.float32:
      return Float32Array.from(numbers);
    case DataType.float64:
      return Float64Array.from(numbers);
    case DataType.int32:
      return Int32Array.from(numbers);
    case DataType.int64:
      return values instanceof BigInt64Array ? values.slice() : BigInt64Array.from(numbers as number[], BigInt);
    case DataType.bool:
    case DataType.uint8:
      return Uint8Array.from(numbers);
    default:
      throw new UnimissError('engine', `PJRT has no tensors of ${dtypeName(dtype)} here`, { place: 'tensor' });
  }
}
