import { describe, expect, test } from 'vitest';
import { lackOfPjrt, pjrtPlugin } from '../../../test/engine.ts';
import { describePlugin } from './describe.ts';

test('a plugin that cannot be used says why', () => {
  expect(describePlugin('/nowhere/plugin.so')).toMatch(/^cannot be used: .*the file is missing/);
});

describe.skipIf(lackOfPjrt)('a plugin', () => {
  test('tells version, platform and devices', () => {
    expect(describePlugin(pjrtPlugin ?? '')).toMatch(/^PJRT 0\.\d+; cpu; cpu:0/);
    expect(describePlugin(pjrtPlugin ?? '', 'pjrt:cpu')).toMatch(/^PJRT 0\.\d+; cpu; cpu:0/);
  });
});
