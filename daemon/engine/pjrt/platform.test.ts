import { afterEach, expect, test, vi } from 'vitest';
import { withDefaults } from '../session.ts';
import { PjrtClient } from './client.ts';
import { PjrtError } from './pjrtError.ts';
import { PjrtPlatform } from './platform.ts';

afterEach(() => vi.restoreAllMocks());

const opening = () => PjrtPlatform.open(withDefaults({ library: '/plugin.so', device: 'pjrt:cuda' }));

test('a plugin that opens no device is an error of the engine, with its words and a remedy', () => {
  vi.spyOn(PjrtClient, 'open').mockImplementation(() => {
    throw new PjrtError('Client_Create', 5, 'No visible GPU devices.');
  });
  expect(opening).toThrow(
    expect.objectContaining({
      code: 'engine',
      message: expect.stringMatching(/^\/plugin\.so: .*opens no device: No visible GPU devices\.\n.*engine doctor/),
    }),
  );
});

test('a defect of ours stays one', () => {
  vi.spyOn(PjrtClient, 'open').mockImplementation(() => {
    throw new TypeError('undefined is not a function');
  });
  expect(opening).toThrow(TypeError);
});

test.each([
  ['oneapi', true],
  ['SYCL', true],
  ['cuda', false],
])('a plugin that calls its platform %s computes on pjrt:oneapi: %s', (name, right) => {
  const platform = { name, version: '1', title: name };
  const client = { platform, devices: [], api: { version: '0.115', path: '/plugin.so', has: () => false } };
  vi.spyOn(PjrtClient, 'open').mockReturnValue(client as unknown as PjrtClient);
  const open = () => PjrtPlatform.open(withDefaults({ library: '/plugin.so', device: 'pjrt:oneapi' }));
  if (right) expect(open().devices).toEqual([]);
  else expect(open).toThrow(/computes on "cuda", but engine.device is "pjrt:oneapi"/);
});
