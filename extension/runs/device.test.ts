import { expect, it } from 'vitest';
import { deviceIn, deviceOf } from './device.ts';

it('installs the build for the device that a run or a configuration names', () => {
  expect(deviceOf({ devices: ['cuda:1'] })).toBe('cuda');
  expect(deviceOf({ devices: ['cpu'] })).toBe('cpu');
  expect(deviceIn('{ // mine\n "engine": { "device": "cuda" }, }')).toBe('cuda');
  expect(deviceIn('{ "engine": { "device": "cpu" } }')).toBe('cpu');
  expect(deviceIn('{}')).toBe('cpu');
  expect(deviceIn('no JSON')).toBe('cpu');
});
