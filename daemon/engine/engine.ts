import { inspect, isDeepStrictEqual } from 'node:util';
import { keep, registerBackend, setBackend, type Tensor } from '@tensorflow/tfjs-core';
import { UnimissError } from '../../protocol/errors.ts';
import { openedSession, setCurrentSession } from './current.ts';
import { type EngineOptions, Session } from './session.ts';
import { CompiledStep } from './step.ts';
import type { StepDefinition } from './stepDefinition.ts';
import { Variable } from './variable.ts';

/** The kernels look up their backend by this name. */
const BACKEND = 'tensorflow';

/**
 * Loads TensorFlow and makes it the backend of TensorFlow.js. A process has one engine, since TensorFlow cannot be unloaded.
 * @returns the open engine if the same is requested again
 * @throws UnimissError 'engine' if TensorFlow cannot be loaded, if a different second engine is requested, or if a GPU is
 * requested and none is usable (an engine on the CPU can still be opened then)
 */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const current = openedSession();
  if (current instanceof Engine) {
    const different = difference(current.options, options);
    if (!different) return current;
    throw new UnimissError('engine', `a process has one engine, and the open one has ${different}`, {
      place: options.library,
      remedy: 'Start another process for another engine.',
    });
  }
  const engine = new Engine(options);
  setCurrentSession(engine);
  registerBackend(BACKEND, () => engine.backend, 3);
  await setBackend(BACKEND);
  return engine;
}

/** The first given option that differs from the open engine's, in words. Options that are not given do not count. */
function difference(open: Required<EngineOptions>, asked: EngineOptions): string | undefined {
  const keys = ['library', 'device', 'interOpThreads', 'intraOpThreads', 'preload', 'tensorFloat32'] as const;
  const key = keys.find((name) => asked[name] !== undefined && !isDeepStrictEqual(asked[name], open[name]));
  return key && `${key}: ${inspect(open[key])}, not ${inspect(asked[key])}`;
}

/** TensorFlow in this process: tensors, variables and compiled steps. Made by `openEngine`. */
export class Engine extends Session {
  /** TensorFlow's version, such as 2.21.0. */
  get version(): string {
    return this.binding.TF_Version;
  }

  /**
   * A float32 variable in TensorFlow's memory.
   * @param name for messages; TensorFlow's own name is made unique
   * @param init values in C order; default: zeros
   */
  variable(name: string, shape: readonly number[], init?: Float32Array | Tensor): Variable {
    if (this.binding.currentTrace)
      throw new UnimissError('engine', 'a variable cannot be made inside a step', {
        place: `variable ${name} in step ${this.binding.currentTrace.name}`,
        remedy: 'Make it before the step is compiled.',
      });
    const [handle] = this.execute(
      'VarHandleOp',
      [],
      {
        dtype: { type: 'float32' },
        shape: { shape },
        shared_name: { string: this.uniqueName('v', name) },
        container: { string: '' },
      },
      1,
    ) as [Tensor];
    const variable = new Variable(this, name, shape, keep(handle)); // kept: it outlives a tidy around this call
    if (init) variable.assign(init);
    else this.assignZeros(variable);
    return variable;
  }

  /**
   * Compiles a step: traces its body once (executor graph or xla), or runs it anew in each call (eager). What changes from call
   * to call must be an input; variables are read and updated in place.
   */
  compile<I extends string, O extends string>(definition: StepDefinition<I, O>): CompiledStep<I, O> {
    return new CompiledStep(this, definition);
  }

  private assignZeros(variable: Variable): void {
    const dims = this.tensor(Int32Array.from(variable.shape), [variable.shape.length]);
    const zero = this.tensor(new Float32Array(1), []);
    const [zeros] = this.execute('Fill', [dims, zero], {}, 1) as [Tensor];
    variable.assign(zeros);
    for (const t of [dims, zero, zeros]) t.dispose();
  }
}
