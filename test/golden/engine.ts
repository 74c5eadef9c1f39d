import { type Engine, openEngine } from '../../daemon/engine/index.ts';
import { requireEngine } from '../../daemon/engine/install/find.ts';

/** TensorFlow on the CPU, found as the product finds it. */
export async function goldenEngine(): Promise<Engine> {
  const { folder } = await requireEngine();
  return openEngine({ library: folder, device: 'cpu' });
}
