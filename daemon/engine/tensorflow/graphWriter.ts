import { UnimissError } from '../../../protocol/errors.ts';
import type { Attrs } from '../attributes.ts';
import { dtypeName } from '../dataType.ts';
import { describeCall, type GraphWriter, type Node, type NodeInput, type WrittenOutput } from '../trace.ts';
import type { CApi, Pointer } from './cApi.ts';
import { dims64, setAttribute } from './setAttribute.ts';
import { checkStatus } from './status.ts';

/** Writes a trace as a TF_Graph; `finish` turns it into a TF_Function. Nodes are TF_Operation pointers. */
export class TensorFlowGraph implements GraphWriter<Pointer, Pointer> {
  private readonly graph: Pointer;
  private disposed = false;

  /** @param step name of the step, for messages */
  constructor(
    private readonly c: CApi,
    private readonly status: Pointer,
    private readonly step: string,
  ) {
    this.graph = c.TF_NewGraph() as Pointer;
  }

  parameter(name: string, dtype: number, shape: readonly number[]): WrittenOutput {
    const { c } = this;
    const d = c.TF_NewOperation(this.graph, 'Placeholder', name) as Pointer;
    c.TF_SetAttrType(d, 'dtype', dtype);
    c.TF_SetAttrShape(d, 'shape', dims64(shape), shape.length);
    return this.finishNode(d, 'Placeholder', [], 1, [shape])[0] as WrittenOutput;
  }

  /** @param value TF_Tensor, which is copied */
  constant(name: string, dtype: number, shape: readonly number[], value: Pointer): WrittenOutput {
    const { c, status } = this;
    const d = c.TF_NewOperation(this.graph, 'Const', name) as Pointer;
    c.TF_SetAttrType(d, 'dtype', dtype);
    c.TF_SetAttrTensor(d, 'value', value, status);
    checkStatus(c, status, () => `${this.step}: constant ${dtypeName(dtype)}[${shape}]`);
    return this.finishNode(d, 'Const', [], 1, [shape])[0] as WrittenOutput;
  }

  /** @throws UnimissError 'engine' with TensorFlow's words if it refuses the node, or the shape is unknown */
  node(
    name: string,
    type: string,
    inputs: readonly NodeInput[],
    attrs: Attrs,
    controls: readonly Node[],
    outputs: number,
    shapes?: readonly (readonly number[])[],
  ): WrittenOutput[] {
    const { c, status } = this;
    const d = c.TF_NewOperation(this.graph, type, name) as Pointer;
    for (const input of inputs) {
      if ('node' in input) c.TF_AddInput(d, cOutput(input));
      else c.TF_AddInputList(d, input.map(cOutput), input.length);
    }
    for (const [key, attr] of Object.entries(attrs)) setAttribute(c, { kind: 'graph', pointer: d }, key, attr, status);
    for (const control of controls) c.TF_AddControlInput(d, control);
    return this.finishNode(d, type, inputs, outputs, shapes);
  }

  /** Makes the TF_Function and frees the graph. The caller frees the function. */
  finish(functionName: string, parameters: readonly WrittenOutput[], outputs: readonly WrittenOutput[]): Pointer {
    const { c, status } = this;
    const f = c.TF_GraphToFunction(
      this.graph,
      functionName,
      0,
      -1,
      null,
      parameters.length,
      parameters.map(cOutput),
      outputs.length,
      outputs.map(cOutput),
      null,
      null,
      null,
      status,
    ) as Pointer;
    this.dispose();
    checkStatus(c, status, () => `step ${this.step}`);
    return f;
  }

  dispose(): void {
    if (!this.disposed) this.c.TF_DeleteGraph(this.graph);
    this.disposed = true;
  }

  private finishNode(
    d: Pointer,
    type: string,
    inputs: readonly NodeInput[],
    outputs: number,
    shapes?: readonly (readonly number[])[],
  ): WrittenOutput[] {
    const { c, status } = this;
    const node = c.TF_FinishOperation(d, status) as Pointer;
    checkStatus(c, status, () => `${describeCall(type, inputs.flat())} in step ${this.step}`);
    const made = c.TF_OperationNumOutputs(node) as number;
    if (outputs === 0) return [{ node, index: 0, dtype: 0, shape: [] }];
    return Array.from({ length: Math.min(outputs, made) }, (_, index) => {
      const output = { oper: node, index };
      const dtype = c.TF_OperationOutputType(output) as number;
      const given = shapes?.[index];
      if (given) {
        c.TF_GraphSetTensorShape(this.graph, output, dims64(given), given.length, status);
        checkStatus(c, status, () => `${type} in step ${this.step}`);
      }
      return { node, index, dtype, shape: given ? [...given] : this.shapeOf(output, type) };
    });
  }

  private shapeOf(output: COutput, type: string): number[] {
    const { c, status, graph } = this;
    const rank = c.TF_GraphGetTensorNumDims(graph, output, status) as number;
    const dims = new BigInt64Array(Math.max(rank, 0));
    if (rank > 0) c.TF_GraphGetTensorShape(graph, output, dims, rank, status);
    checkStatus(c, status, () => `${type} in step ${this.step}`);
    const shape = Array.from(dims, Number);
    if (rank < 0 || shape.some((n) => n < 0))
      throw new UnimissError('engine', `the shape of output ${output.index} is not known while tracing`, {
        place: `${type} in step ${this.step}`,
        remedy: 'Give the shape, or use an op whose result has a fixed shape.',
      });
    return shape;
  }
}

/** TF_Output */
interface COutput {
  readonly oper: Pointer;
  readonly index: number;
}

function cOutput({ node, index }: WrittenOutput): COutput {
  return { oper: node, index };
}
