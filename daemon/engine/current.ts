import { UnimissError } from '../../protocol/errors.ts';
import type { Session } from './session.ts';

let current: Session | undefined;

/** The session of this process. @throws UnimissError 'engine' before `openEngine` */
export function currentSession(): Session {
  if (!current) throw new UnimissError('engine', 'no engine has been opened', { remedy: 'Call openEngine first.' });
  return current;
}

/** The session of this process, if one is open. */
export function openedSession(): Session | undefined {
  return current;
}

/** @internal TensorFlow cannot be unloaded, so a process has one session for good. */
export function setCurrentSession(session: Session): void {
  current = session;
}
