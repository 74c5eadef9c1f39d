import { expect, it } from 'vitest';
import { deviceIn, deviceOf } from './device.ts';

it('installs the build for the device that a run or a configuration names', () => {
  expect(deviceOf({ engineDevice: 'pjrt:cuda' })).toBe('pjrt:cuda');
  expect(deviceOf({})).toBe('cpu');
  expect(deviceIn('{ // mine\n "engine": { "device": "cuda" }, }')).toBe('cuda');
  expect(deviceIn('{ "engine": { "device": "pjrt:cpu" } }')).toBe('pjrt:cpu');
  expect(deviceIn('{ "engine": { "device": "abacus" } }')).toBe('cpu');
  expect(deviceIn('{}')).toBe('cpu');
  expect(deviceIn('no JSON')).toBe('cpu');
});
