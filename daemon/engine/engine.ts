import { inspect, isDeepStrictEqual } from 'node:util';
import { keep, registerBackend, setBackend, type Tensor } from '@tensorflow/tfjs-core';
import { isPluginDevice } from '../../protocol/config/devices.ts';
import { UnimissError } from '../../protocol/errors.ts';
import { openedSession, setCurrentSession } from './current.ts';
import { PjrtPlatform } from './pjrt/platform.ts';
import type { DeviceMemory } from './platform.ts';
import { type EngineOptions, Session, withDefaults } from './session.ts';
import { CompiledStep } from './step.ts';
import type { Executor, StepDefinition } from './stepDefinition.ts';
import { TensorFlowPlatform } from './tensorflow/platform.ts';
import { Variable } from './variable.ts';

/** The kernels look up their backend by this name. */
const BACKEND = 'tensorflow';

/**
 * Loads TensorFlow, or a plugin of PJRT, and makes it the backend of TensorFlow.js. A process has one engine, since neither can be
 * unloaded.
 * @returns the open engine if the same is requested again
 * @throws UnimissError 'engine' if it cannot be loaded, if a different second engine is requested, or if a GPU is
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
  const all = withDefaults(options);
  const engine = new Engine(all, isPluginDevice(all.device) ? PjrtPlatform.open(all) : new TensorFlowPlatform(all));
  setCurrentSession(engine);
  registerBackend(BACKEND, () => engine.backend, 3);
  await setBackend(BACKEND);
  return engine;
}

/** The first given option that differs from the open engine's, in words. Options that are not given do not count. */
function difference(open: Required<EngineOptions>, asked: EngineOptions): string | undefined {
  const keys = [
    'library',
    'device',
    'interOpThreads',
    'intraOpThreads',
    'preload',
    'tensorFloat32',
    'precision',
  ] as const;
  const key = keys.find((name) => asked[name] !== undefined && !isDeepStrictEqual(asked[name], open[name]));
  return key && `${key}: ${inspect(open[key])}, not ${inspect(asked[key])}`;
}

/** The engine of this process: tensors, variables and compiled steps. Made by `openEngine`. */
export class Engine extends Session {
  /** TensorFlow's version, such as 2.21.0; for PJRT the plugin's. */
  get version(): string {
    return this.platform.version;
  }

  /** Name and version, for people. */
  get title(): string {
    return this.platform.title;
  }

  /** Whether a step can be called while an earlier call computes (`CompiledStep.run`), which keeps the device busy. */
  get queues(): boolean {
    return this.platform.traits.queues;
  }

  /** Memory of the device, where the engine tells. */
  get memory(): DeviceMemory | undefined {
    return this.platform.memory;
  }

  /** The executors that differ on this engine, the default first. */
  get executors(): readonly Executor[] {
    return this.platform.executors;
  }

  /**
   * A float32 variable in the engine's memory.
   * @param name for messages
   * @param init values in C order; default: zeros
   */
  variable(name: string, shape: readonly number[], init?: Float32Array | Tensor): Variable {
    if (this.binding.currentTrace)
      throw new UnimissError('engine', 'a variable cannot be made inside a step', {
        place: `variable ${name} in step ${this.binding.currentTrace.name}`,
        remedy: 'Make it before the step is compiled.',
      });
    const handle = keep(this.wrap(this.platform.newVariable(name, shape))); // kept: it outlives a tidy around this call
    const variable = new Variable(this, name, shape, handle);
    if (init) variable.assign(init);
    return variable;
  }

  /**
   * Compiles a step: traces its body once (executor graph or xla), or runs it anew in each call (eager). What changes from call
   * to call must be an input; variables are read and updated in place.
   */
  compile<I extends string, O extends string>(definition: StepDefinition<I, O>): CompiledStep<I, O> {
    return new CompiledStep(this, definition);
  }
}
