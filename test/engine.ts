import { type Engine, openEngine } from '../daemon/engine/index.ts';
import { requireEngine } from '../daemon/engine/install/index.ts';
import type { EnginePrecision } from '../protocol/config/devices.ts';
import { lack } from './needs.ts';

/**
 * The engine that tests run on: the TensorFlow in UNIMISS_TENSORFLOW, else the installed one. On the CPU, two threads of each
 * kind. Where there is none the tests fail with the command that installs it.
 */
export async function testEngine(): Promise<Engine> {
  const { folder, cuda } = await requireEngine({ device: 'cpu' });
  return openEngine({ library: folder, device: 'cpu', preload: cuda?.preload });
}

/** A plugin of PJRT for CPUs: UNIMISS_PJRT names its file, else it is the installed one (globalSetup.ts). */
export const pjrtPlugin: string | undefined = process.env.UNIMISS_PJRT || undefined;

/** For `skipIf`: the reason why tests on `pjrt:cpu` are skipped, '' where they are not. */
export const lackOfPjrt: string = lack('pjrt', pjrtPlugin ? '' : 'no plugin of PJRT for CPUs is installed');

/** The engine on that plugin. @param tensorFloat32 what modules ask of products: a processor ignores it */
export async function pjrtTestEngine({
  precision = 'float32',
  tensorFloat32 = false,
}: PjrtTestOptions = {}): Promise<Engine> {
  if (!pjrtPlugin) throw new Error(lackOfPjrt);
  return openEngine({ library: pjrtPlugin, device: 'pjrt:cpu', tensorFloat32, precision });
}

interface PjrtTestOptions {
  readonly precision?: EnginePrecision;
  readonly tensorFloat32?: boolean;
}
