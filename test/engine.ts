import { type Engine, openEngine } from '../daemon/engine/index.ts';
import { requireEngine } from '../daemon/engine/install/index.ts';

/**
 * The engine that tests run on: the TensorFlow in UNIMISS_TENSORFLOW, else the installed one. On the CPU, two threads of each
 * kind. Where there is none the tests fail with the command that installs it.
 */
export async function testEngine(): Promise<Engine> {
  const { folder, cuda } = await requireEngine({ device: 'cpu' });
  return openEngine({ library: folder, device: 'cpu', preload: cuda?.preload });
}
