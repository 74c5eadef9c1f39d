import { UnimissError } from '../../protocol/errors.ts';

/** This machine has no daemon and will have none (macOS, Windows): nothing is wrong with it. */
export class NoDaemonHere extends UnimissError {}
