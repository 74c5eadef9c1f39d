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
import { PjrtError, type Pointer, RESOURCE_EXHAUSTED } from './api.ts';
import { type Captured, PjrtCaptures } from './captures.ts';
import type { Executable } from './client.ts';
import type { HostArray } from './elementType.ts';
import { ModuleWriter, type StableHloModule } from './moduleWriter.ts';
import type { OpenedPjrt } from './opened.ts';
import { PjrtVariable } from './variable.ts';

/** A step as one executable: traced once, compiled by its first call, then executed by one call each. */
export class CompiledModule<I extends string, O extends string> implements TracedStep<I, O> {
  private executable: Executable | undefined;
  /** Buffers of inputs that were copied ahead, by their arrays. */
  private readonly staged = new Map<StepValue, Pointer>();

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

  /** Compiles if nobody has, and executes, both on another thread. The values are copied before this returns its promise. */
  async execute(values: Record<I, StepValue>): Promise<Record<O, Float32Array>> {
    const { client } = this.platform;
    const fed: Pointer[] = [];
    try {
      for (const [name, input] of inputsOf(this.definition))
        fed.push(this.takeStaged(values[name]) ?? this.put(input, values[name]));
      return await this.platform.alone(async () => {
        this.executable ??= await this.compile();
        return this.run(this.executable, fed);
      });
    } catch (error) {
      throw explained(error, placeOf(this.definition));
    } finally {
      for (const buffer of fed) client.free(buffer);
    }
  }

  stage(name: I, values: Float32Array): void {
    const input: StepInput | undefined = this.definition.inputs[name];
    if (!input || this.staged.has(values)) return;
    this.staged.set(values, this.put(input, values));
  }

  dispose(): void {
    const { client } = this.platform;
    for (const buffer of this.staged.values()) client.free(buffer);
    this.staged.clear();
    if (this.executable) client.freeExecutable(this.executable);
    this.executable = undefined;
    for (const captured of this.captured) if (!(captured instanceof PjrtVariable)) client.free(captured);
    this.captured.length = 0;
  }

  private put(input: StepInput, value: StepValue): Pointer {
    return this.platform.client.put({ dtype: dtypeOf(input), shape: input.shape }, typed(input, value));
  }

  private takeStaged(value: StepValue): Pointer | undefined {
    const buffer = this.staged.get(value);
    this.staged.delete(value);
    return buffer;
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

  private async run(executable: Executable, fed: readonly Pointer[]): Promise<Record<O, Float32Array>> {
    const { client } = this.platform;
    const { module, outputs, captured, definition } = this;
    const variables = captured.filter((each) => each instanceof PjrtVariable);
    const lent: PjrtVariable[] = [];
    let made: Pointer[] = [];
    try {
      const buffers = captured.map((each) => {
        if (!(each instanceof PjrtVariable)) return each;
        const buffer = each.lend(definition.name);
        lent.push(each);
        return buffer;
      });
      made = await client.execute(executable, [...fed, ...buffers]);
    } catch (error) {
      for (const variable of lent) variable.replace();
      throw error;
    }
    const results = made.slice(0, outputs.length);
    try {
      const updated = new Map(
        module.updated.map((argument, i) => [captured[argument - fed.length], made[outputs.length + i]]),
      );
      for (const variable of variables) variable.replace(updated.get(variable));
      const values = await Promise.all(
        results.map((buffer, i) => client.fetchAsync(module.outputs[i] ?? { dtype: 0, shape: [] }, buffer)),
      );
      return Object.fromEntries(outputs.map((name, i) => [name, values[i]])) as Record<O, Float32Array>;
    } finally {
      for (const buffer of results) client.free(buffer);
    }
  }
}

function typed({ dtype = 'float32' }: StepInput, value: StepValue): HostArray {
  const values = asArray(value);
  if (dtype === 'int32') return values instanceof Int32Array ? values : Int32Array.from(values);
  return values instanceof Float32Array ? values : Float32Array.from(values);
}

/** The error for people: the plugin's words, and where. */
function explained(error: unknown, place: string): unknown {
  if (!(error instanceof PjrtError)) return error;
  return new UnimissError('engine', `PJRT: ${error.words}`, {
    place,
    ...(error.code === RESOURCE_EXHAUSTED && {
      remedy: 'Use a smaller batch, or accumulate gradients (train.accumulate).',
    }),
    cause: error,
  });
}
