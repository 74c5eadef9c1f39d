import { expect, it, vi } from 'vitest';
import { resolveConfig } from '../../../../protocol/config/index.ts';
import { parseConfig } from '../../../../protocol/config/parseConfig.ts';
import { UnimissError } from '../../../../protocol/errors.ts';
import { decideLargestComponent } from './decideLargestComponent.ts';

const failure = vi.hoisted(() => ({ error: new Error() }));
vi.mock('./splitCases.ts', () => ({
  splitCases: async () => {
    throw failure.error;
  },
}));

const text = JSON.stringify({ task: 'finetune', problem: 'segmentation', modality: '3D', data: { path: 'set' } });
const run = { id: 'lungs', config: resolveConfig(parseConfig(text, 'a'), { baseDir: '/' }) };

it.each([
  [new UnimissError('data', 'is gone', { place: 'a.nii' }), 0],
  [new TypeError('cannot read properties of undefined'), 1],
])('a training whose weights are good is finished all the same: %s', async (error, logged) => {
  failure.error = error;
  const log = vi.spyOn(console, 'error').mockImplementation(() => {});
  const warnings: string[] = [];
  const on = { stage() {}, notice() {}, warning: (one: string) => warnings.push(one), stopRequested: () => false };
  expect(await decideLargestComponent(run as never, on)).toBe(true);
  expect(warnings).toEqual([expect.stringContaining(error.message)]);
  expect(warnings[0]).toContain('unimiss evaluate lungs --split validation');
  expect(log).toHaveBeenCalledTimes(logged);
  log.mockRestore();
});
