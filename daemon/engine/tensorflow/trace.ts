import { UnimissError } from '../../../protocol/errors.ts';
import { type Attrs, dims64, setAttr } from './attributes.ts';
import { type CApi, dtypeName, type Pointer } from './cApi.ts';
import { checkStatus } from './status.ts';

/** One output of a node of the graph being traced. */
export interface NodeOutput {
  readonly trace: Trace;
  readonly oper: Pointer;
  readonly index: number;
  readonly dtype: number;
  readonly shape: number[];
}

/** An input of a node: one output, or a list of them for an op's list argument. */
export type NodeInput = NodeOutput | readonly NodeOutput[];

/** Ops whose result would differ from call to call although nothing that was declared has changed. */
const randomOp =
  /^(Random|Multinomial|TruncatedNormal|ParameterizedTruncatedNormal|StatefulRandom|StatefulUniform|StatefulStandardNormal|StatefulTruncatedNormal|RngSkip|SampleDistortedBoundingBox)|CandidateSampler$/;

/**
 * A TF_Graph that is filled while a step's body runs: each op adds a node in place of being executed.
 * `finish` makes it a function that one call executes.
 */
export class Trace {
  readonly graph: Pointer;
  private nodes = 0;
  private readonly controls: Pointer[][] = [];
  /** Placeholders of values that come from outside, in the order of the function's inputs. */
  private readonly parameters: NodeOutput[] = [];
  open = true;

  constructor(
    private readonly c: CApi,
    private readonly status: Pointer,
    readonly name: string,
  ) {
    this.graph = c.TF_NewGraph() as Pointer;
  }

  /** Adds an input of the function. */
  parameter(dtype: number, shape: readonly number[]): NodeOutput {
    const { c } = this;
    const d = c.TF_NewOperation(this.graph, 'Placeholder', this.unique('input')) as Pointer;
    c.TF_SetAttrType(d, 'dtype', dtype);
    c.TF_SetAttrShape(d, 'shape', dims64(shape), shape.length);
    const output = this.finishNode(d, 'Placeholder', [], 1, [shape])[0] as NodeOutput;
    this.parameters.push(output);
    return output;
  }

  /** Adds a constant. The tensor is copied. */
  constant(dtype: number, shape: readonly number[], tensor: Pointer): NodeOutput {
    const { c, status } = this;
    const d = c.TF_NewOperation(this.graph, 'Const', this.unique('const')) as Pointer;
    c.TF_SetAttrType(d, 'dtype', dtype);
    c.TF_SetAttrTensor(d, 'value', tensor, status);
    checkStatus(c, status, () => `${this.name}: constant ${dtypeName(dtype)}[${shape}]`);
    return this.finishNode(d, 'Const', [], 1, [shape])[0] as NodeOutput;
  }

  /**
   * Adds a node.
   * @param shapes shapes of the outputs where TensorFlow cannot infer them (a variable's read)
   * @throws UnimissError 'engine' for random ops, and with TensorFlow's words when the node is refused
   */
  node(
    type: string,
    inputs: readonly NodeInput[],
    attrs: Attrs,
    outputs: number,
    shapes?: readonly (readonly number[])[],
  ): NodeOutput[] {
    if (!this.open)
      throw new UnimissError('engine', 'this tensor belongs to a step that has been traced already', {
        place: `${type} in ${this.name}`,
      });
    if (randomOp.test(type)) throw randomInTrace(`${type} in step ${this.name}`);
    const { c, status } = this;
    const d = c.TF_NewOperation(this.graph, type, this.unique(type)) as Pointer;
    for (const input of inputs) {
      if (Array.isArray(input)) c.TF_AddInputList(d, input.map(cOutput), input.length);
      else c.TF_AddInput(d, cOutput(input as NodeOutput));
    }
    for (const [name, attr] of Object.entries(attrs)) setAttr(c, 'graph', d, name, attr, status);
    for (const control of this.controls.at(-1) ?? []) c.TF_AddControlInput(d, control);
    return this.finishNode(d, type, inputs, outputs, shapes);
  }

  /** Runs `body`; every node made by it waits for `after` (and for what an enclosing call names). */
  controlled<T>(after: readonly NodeOutput[], body: () => T): T {
    const opers = [...(this.controls.at(-1) ?? []), ...after.map((o) => o.oper)];
    this.controls.push([...new Set(opers)]);
    try {
      return body();
    } finally {
      this.controls.pop();
    }
  }

  /** Makes the TF_Function; the graph is freed. The caller frees the function. */
  finish(functionName: string, outputs: readonly NodeOutput[]): Pointer {
    const { c, status } = this;
    this.open = false;
    const f = c.TF_GraphToFunction(
      this.graph,
      functionName,
      0,
      -1,
      null,
      this.parameters.length,
      this.parameters.map(cOutput),
      outputs.length,
      outputs.map(cOutput),
      null,
      null,
      null,
      status,
    ) as Pointer;
    this.dispose();
    checkStatus(c, status, () => `step ${this.name}`);
    return f;
  }

  dispose(): void {
    this.open = false;
    if (!this.freed) this.c.TF_DeleteGraph(this.graph);
    this.freed = true;
  }
  private freed = false;

  private unique(type: string): string {
    return `${type.replace(/^_+/, '')}_${this.nodes++}`;
  }

  private finishNode(
    d: Pointer,
    type: string,
    inputs: readonly NodeInput[],
    outputs: number,
    shapes?: readonly (readonly number[])[],
  ): NodeOutput[] {
    const { c, status } = this;
    const oper = c.TF_FinishOperation(d, status) as Pointer;
    checkStatus(c, status, () => `${describeCall(type, inputs.flat())} in step ${this.name}`);
    const made = c.TF_OperationNumOutputs(oper) as number;
    if (outputs === 0) return [{ trace: this, oper, index: 0, dtype: 0, shape: [] }];
    return Array.from({ length: Math.min(outputs, made) }, (_, index) => {
      const output = { oper, index };
      const dtype = c.TF_OperationOutputType(output) as number;
      const given = shapes?.[index];
      if (given) {
        c.TF_GraphSetTensorShape(this.graph, output, dims64(given), given.length, status);
        checkStatus(c, status, () => `${type} in step ${this.name}`);
      }
      return { trace: this, oper, index, dtype, shape: given ? [...given] : this.shapeOf(output, type) };
    });
  }

  private shapeOf(output: { oper: Pointer; index: number }, type: string): number[] {
    const { c, status, graph } = this;
    const rank = c.TF_GraphGetTensorNumDims(graph, output, status) as number;
    const dims = new BigInt64Array(Math.max(rank, 0));
    if (rank > 0) c.TF_GraphGetTensorShape(graph, output, dims, rank, status);
    checkStatus(c, status, () => `${type} in step ${this.name}`);
    const shape = Array.from(dims, Number);
    if (rank < 0 || shape.some((n) => n < 0))
      throw new UnimissError('engine', `the shape of output ${output.index} is not known while tracing`, {
        place: `${type} in step ${this.name}`,
        remedy: 'Give the shape, or use an op whose result has a fixed shape.',
      });
    return shape;
  }
}

/** The error for a draw of random numbers in a trace, from TensorFlow or from JavaScript. */
export function randomInTrace(place: string): UnimissError {
  return new UnimissError('engine', 'random numbers drawn while tracing would be the same in every step', {
    place,
    remedy: 'Declare them (or a seed for a Stateless… op) as an input of the step.',
  });
}

/** `MatMul(float32[2,3], float32[4,5])`, for messages. */
export function describeCall(type: string, inputs: readonly { dtype: number; shape: readonly number[] }[]): string {
  return `${type}(${inputs.map((i) => `${dtypeName(i.dtype)}[${i.shape}]`).join(', ')})`;
}

function cOutput(o: NodeOutput): { oper: Pointer; index: number } {
  return { oper: o.oper, index: o.index };
}
