import { UnimissError } from '../../protocol/errors.ts';
import type { Engine } from './engine.ts';

let current: Engine | undefined;

/** The engine of this process. @throws UnimissError 'engine' before `openEngine` */
export function currentEngine(): Engine {
  if (!current) throw new UnimissError('engine', 'no engine has been opened', { remedy: 'Call openEngine first.' });
  return current;
}

/** The engine of this process, if one is open. */
export function openedEngine(): Engine | undefined {
  return current;
}

/** @internal TensorFlow cannot be unloaded, so a process has one engine for good. */
export function setCurrentEngine(engine: Engine): void {
  current = engine;
}
