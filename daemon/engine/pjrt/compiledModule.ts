import { UnimissError } from '../../../protocol/errors.ts';
import { sizeOf } from '../dataType.ts';
import type { TracedStep } from '../platform.ts';
import {
  asArray,
  dtypeOf,
  inputsOf,
  placeOf,
  type StepDefinition,
  type StepInput,
  type StepValue,
} from '../stepDefinition.ts';
import { Trace } from '../trace.ts';
import { type Tracer, traceBody } from '../traceBody.ts';
import type { Pointer } from './api.ts';
import { type Captured, PjrtCaptures } from './captures.ts';
import type { Copying, Executable, Execution } from './client.ts';
import type { HostArray } from './elementType.ts';
import { ModuleWriter, type StableHloModule } from './moduleWriter.ts';
import type { OpenedPjrt } from './opened.ts';
import { explained, PjrtError } from './pjrtError.ts';
import { PjrtVariable } from './variable.ts';

/** A step as one executable: traced once, compiled by its first call, then executed by one call each. */
export class CompiledModule<I extends string, O extends string> implements TracedStep<I, O> {
  private executable: Executable | undefined;

  private constructor(
    private readonly platform: OpenedPjrt,
    private readonly definition: StepDefinition<I, O>,
    private readonly module: StableHloModule,
    /** Arguments after the declared inputs. */
    private readonly captured: Captured[],
    private readonly outputs: readonly O[],
  ) {}

  static of<I extends string, O extends string>(
    session: Tracer,
    platform: OpenedPjrt,
    definition: StepDefinition<I, O>,
  ): CompiledModule<I, O> {
    if (definition.executor === 'eager') throw new Error('an eager step is not traced');
    const trace = new Trace(new ModuleWriter(definition.name, platform.precision, platform.factors), definition.name);
    const captures = new PjrtCaptures(platform.client, trace);
    const nodes = platform.binding.tracing(trace, captures, () => traceBody(session, definition, trace));
    try {
      const module = trace.finish(
        definition.name.replace(/[^A-Za-z0-9_]/g, '_'),
        nodes.map(([, node]) => node),
      );
      const outputs = nodes.map(([output]) => output);
      return new CompiledModule(platform, definition, module, captures.captured, outputs);
    } catch (error) {
      captures.release();
      throw error;
    }
  }

  /**
   * Compiles if nobody has, and submits an execution, both on another thread. The values are copied before this returns its promise:
   * while earlier executions compute, if there are any.
   */
  async execute(values: Record<I, StepValue>): Promise<Record<O, Float32Array>> {
    const { client, submissions, results } = this.platform;
    const fed: Pointer[] = [];
    const free = () => {
      for (const buffer of fed.splice(0)) client.free(buffer);
    };
    try {
      for (const [name, input] of inputsOf(this.definition)) fed.push(this.put(input, values[name]));
      const submitted = await submissions
        .run(async () => {
          this.executable ??= await this.compile();
          return this.submit(this.executable, fed);
        })
        .finally(free);
      return await results.run(() => this.resultsOf(submitted));
    } catch (error) {
      throw explained(error, placeOf(this.definition));
    } finally {
      free();
    }
  }

  dispose(): void {
    const { client } = this.platform;
    if (this.executable) client.freeExecutable(this.executable);
    this.executable = undefined;
    for (const captured of this.captured) if (!(captured instanceof PjrtVariable)) client.free(captured);
    this.captured.length = 0;
  }

  private put(input: StepInput, value: StepValue): Pointer {
    return this.platform.client.put({ dtype: dtypeOf(input), shape: input.shape }, typed(input, value));
  }

  /** @throws UnimissError 'engine' that names the op, if XLA refuses one */
  private async compile(): Promise<Executable> {
    const { client, executables } = this.platform;
    let executable: Executable;
    try {
      executable = await executables.of(this.module.text);
    } catch (error) {
      if (!(error instanceof PjrtError)) throw error;
      const line = Number(/:(\d+):\d+/.exec(error.words)?.[1]);
      throw explained(error, this.module.placeOf(line) ?? placeOf(this.definition));
    }
    // Before anything runs: what is not updated in place would need its memory twice.
    const bytes = this.module.updated.reduce((sum, i) => sum + 4 * sizeOf(this.module.arguments[i]?.shape ?? []), 0);
    const { aliased } = executable.memory;
    if (aliased >= bytes) return executable;
    client.freeExecutable(executable);
    throw new UnimissError('engine', `the plugin updates ${aliased} of ${bytes} bytes of state in place`, {
      place: placeOf(this.definition),
      remedy: 'Report this with the output of "unimiss engine doctor".',
    });
  }

  /** Submits an execution. The variables that it changes have its results from now on, for the next submission. */
  private async submit(executable: Executable, fed: readonly Pointer[]): Promise<Submitted> {
    const { client } = this.platform;
    const { module, outputs, captured, definition } = this;
    const lent: PjrtVariable[] = [];
    let execution: Execution;
    try {
      const buffers = captured.map((each) => {
        if (!(each instanceof PjrtVariable)) return each;
        const buffer = each.lend(definition.name);
        lent.push(each);
        return buffer;
      });
      execution = await client.submit(executable, [...fed, ...buffers]);
    } catch (error) {
      for (const variable of lent) variable.replace();
      throw error;
    }
    const { made, done } = execution;
    const changed = new Map<Captured | undefined, Pointer | undefined>(
      module.updated.map((argument, i) => [captured[argument - fed.length], made[outputs.length + i]]),
    );
    for (const variable of lent) variable.replace(changed.get(variable));
    const results = made.slice(0, outputs.length);
    const copies: Copying[] = [];
    const failures: unknown[] = [];
    try {
      for (const [i, buffer] of results.entries())
        copies.push(client.copy(module.outputs[i] ?? { dtype: 0, shape: [] }, buffer));
    } catch (error) {
      failures.push(error); // told when the execution and the copies that were begun have ended
    }
    return { done, results, copies, failures, changed };
  }

  /** Waits for the end of an execution and for its results. If it failed, the variables that it changed have lost their values. */
  private async resultsOf({ done, results, copies, failures, changed }: Submitted): Promise<Record<O, Float32Array>> {
    const { client } = this.platform;
    // One after the other, each to its end even if one fails: waiting takes a thread, and a copy's memory must stay until then.
    for (const event of [done, ...copies.map((copy) => copy.done)])
      await client.waitFor(event).catch((error: unknown) => failures.push(error));
    for (const buffer of results) client.free(buffer);
    if (failures.length === 0)
      return Object.fromEntries(this.outputs.map((name, i) => [name, copies[i]?.values])) as Record<O, Float32Array>;
    for (const [variable, buffer] of changed)
      if (variable instanceof PjrtVariable) variable.lose(buffer, this.definition.name);
    throw failures[0];
  }
}

/** An execution on its way. */
interface Submitted {
  /** The event of its end. */
  readonly done: Pointer;
  /** Buffers of the outputs, and their values on the way here. */
  readonly results: readonly Pointer[];
  readonly copies: readonly Copying[];
  /** Why copies could not be begun. */
  readonly failures: unknown[];
  /** The new buffers of variables. */
  readonly changed: ReadonlyMap<Captured | undefined, Pointer | undefined>;
}

function typed({ dtype = 'float32' }: StepInput, value: StepValue): HostArray {
  const values = asArray(value);
  if (dtype === 'int32') return values instanceof Int32Array ? values : Int32Array.from(values);
  return values instanceof Float32Array ? values : Float32Array.from(values);
}
