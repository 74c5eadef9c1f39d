import { UnimissError } from '../../protocol/errors.ts';
import type { Attrs } from './attributes.ts';
import { dtypeName } from './dataType.ts';

/** A node of the graph, in the form of its writer. */
export type Node = bigint;

/** One output of a node. */
export interface WrittenOutput {
  readonly node: Node;
  readonly index: number;
  readonly dtype: number;
  readonly shape: number[];
}

/** One output of a node of a trace. */
export interface NodeOutput extends WrittenOutput {
  readonly trace: Trace;
}

/** An input of a node: one output, or several for an op's list argument. */
export type NodeInput = NodeOutput | readonly NodeOutput[];

/**
 * Writes a recorded trace in the form of an engine. This is the seam between recording and engines: TensorFlow's writer makes a
 * TF_Graph (tensorflow/graphWriter.ts), PJRT's makes StableHLO (pjrt/moduleWriter.ts). `C` is a constant's value as the engine
 * knows it, `F` the finished function.
 */
export interface GraphWriter<C = unknown, F = unknown> {
  /** Adds an input of the function. */
  parameter(name: string, dtype: number, shape: readonly number[]): WrittenOutput;
  /** Adds a constant. @param value a tensor as the engine knows it, which is copied */
  constant(name: string, dtype: number, shape: readonly number[], value: C): WrittenOutput;
  /**
   * Adds a node.
   * @param controls nodes for which this one waits
   * @param outputs number of outputs to return; 0 for the effect alone (one output of type 0 then names it)
   * @param shapes shapes of the outputs if the writer cannot infer them
   */
  node(
    name: string,
    type: string,
    inputs: readonly NodeInput[],
    attrs: Attrs,
    controls: readonly Node[],
    outputs: number,
    shapes?: readonly (readonly number[])[],
  ): WrittenOutput[];
  /** Ends the graph and returns the function in the form of the engine. */
  finish(functionName: string, parameters: readonly WrittenOutput[], outputs: readonly WrittenOutput[]): F;
  /** Frees the graph; a second call does nothing. */
  dispose(): void;
}

/** Ops whose results differ from call to call although no declared input has changed. */
const randomOp =
  /^(Random|Multinomial|TruncatedNormal|ParameterizedTruncatedNormal|StatefulRandom|StatefulUniform|StatefulStandardNormal|StatefulTruncatedNormal|RngSkip|SampleDistortedBoundingBox)|CandidateSampler$/;

/**
 * Records a step's body: while it runs, each op adds a node to a graph instead of executing. `finish` turns the graph into a
 * function that a single call executes.
 */
export class Trace<C = unknown, F = unknown> {
  private nodes = 0;
  private readonly controls: Node[][] = [];
  /** Placeholders for outside values, in the order of the function's inputs. */
  private readonly parameters: NodeOutput[] = [];
  private open = true;

  /** @param name name of the step */
  constructor(
    private readonly graph: GraphWriter<C, F>,
    readonly name: string,
  ) {}

  /** Adds an input of the function. */
  parameter(dtype: number, shape: readonly number[]): NodeOutput {
    const output = { trace: this, ...this.graph.parameter(this.unique('input'), dtype, shape) };
    this.parameters.push(output);
    return output;
  }

  /** Adds a constant. @param value a tensor as the engine knows it, which is copied */
  constant(dtype: number, shape: readonly number[], value: C): NodeOutput {
    return { trace: this, ...this.graph.constant(this.unique('const'), dtype, shape, value) };
  }

  /**
   * Adds a node.
   * @param outputs number of outputs to return; 0 for the effect alone
   * @param shapes shapes of the outputs if the engine cannot infer them (a variable's read)
   * @throws UnimissError 'engine' for random ops, after `finish`, and if the engine refuses the node
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
    const controls = this.controls.at(-1) ?? [];
    const written = this.graph.node(this.unique(type), type, inputs, attrs, controls, outputs, shapes);
    return written.map((output) => ({ trace: this, ...output }));
  }

  /** Runs `body`. Every node that it makes waits for `after`, and for the nodes of an enclosing call. */
  controlled<T>(after: readonly NodeOutput[], body: () => T): T {
    const nodes = [...(this.controls.at(-1) ?? []), ...after.map(({ node }) => node)];
    this.controls.push([...new Set(nodes)]);
    try {
      return body();
    } finally {
      this.controls.pop();
    }
  }

  /** Makes the function and frees the graph. The caller must free the function. */
  finish(functionName: string, outputs: readonly NodeOutput[]): F {
    this.open = false;
    return this.graph.finish(functionName, this.parameters, outputs);
  }

  dispose(): void {
    this.open = false;
    this.graph.dispose();
  }

  private unique(type: string): string {
    return `${type.replace(/^_+/, '')}_${this.nodes++}`;
  }
}

/** The error for random numbers drawn in a trace, by an op or in JavaScript. */
export function randomInTrace(place: string): UnimissError {
  return new UnimissError('engine', 'random numbers drawn while tracing would be the same in every step', {
    place,
    remedy: 'Declare them (or a seed for a Stateless… op) as an input of the step.',
  });
}

/**
 * TensorFlow.js draws random numbers in JavaScript, from a seed of the caller or else of Math.random. In a trace they would
 * silently become constants, so Math.random throws while `body` runs. (A draw with its own seed is the same in every step in
 * every executor.)
 */
export function forbiddingRandomness<T>(step: string, body: () => T): T {
  const { random } = Math;
  Math.random = () => {
    throw randomInTrace(`TensorFlow.js in step ${step}`);
  };
  try {
    return body();
  } finally {
    Math.random = random;
  }
}

/** `MatMul(float32[2,3], float32[4,5])`, for messages. */
export function describeCall(type: string, inputs: readonly { dtype: number; shape: readonly number[] }[]): string {
  return `${type}(${inputs.map((i) => `${dtypeName(i.dtype)}[${i.shape}]`).join(', ')})`;
}
