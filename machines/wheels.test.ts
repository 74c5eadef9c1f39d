import { expect, it } from 'vitest';
import { releaseFor } from '../protocol/engine/release.ts';
import { bringWheels } from './wheels.ts';

it.each([
  ['another build of TensorFlow', { sha256: '0'.repeat(64) }],
  ['another package', { name: 'requests' }],
  ['another size', { bytes: 7 }],
])('a machine cannot ask for %s', async (_, change) => {
  const { version, wheels, platforms } = releaseFor('cpu', 'x64');
  const [wheel] = wheels;
  if (!wheel) throw new Error('no wheel is pinned');
  const needed = { version, device: 'cpu' as const, platforms, wheels: [{ ...wheel, ...change }] };
  // Neither pip nor ssh is there: nothing is begun.
  const bringing = bringWheels('gpu1', needed, { asking: 'nobody', env: { PATH: '' } });
  await expect(bringing).rejects.toMatchObject({ code: 'engine', details: { place: 'gpu1' } });
  await expect(bringing).rejects.toThrow(/is none of the files that this version of UniMiSS brings/);
});
