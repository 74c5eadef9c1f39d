import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { type ConfigInput, resolveConfig } from '../../../protocol/config/index.ts';
import { parseConfig } from '../../../protocol/config/parseConfig.ts';
import { requirePretrain } from '../../../protocol/config/pretrain/index.ts';
import { cells, stageGrids } from '../../model/geometry.ts';
import { parameterTable } from '../../model/parameters.ts';
import { readStoredConfig } from '../folder/storedConfig.ts';
import { modelConfig } from './modelConfig.ts';
import { tasks } from './tasks.ts';

const fixture = new URL('../../../test/fixtures/run-0.1.0/', import.meta.url);

function configOf(model: Record<string, unknown>) {
  const text = JSON.stringify({ data: { paths: '/ct' }, model } satisfies ConfigInput);
  return requirePretrain(resolveConfig(parseConfig(text, 'a.unimiss.jsonc'), { baseDir: '/' }));
}

describe('nano', () => {
  test('has enough positions in each stage, which its configuration records', () => {
    const config = configOf({ preset: 'nano' });
    expect(config.model.stages).toBe(3);
    const { size2D, size3D, encoder } = modelConfig(config.model);
    for (const [modality, size] of [['2D', size2D] as const, ['3D', size3D] as const])
      for (const grid of stageGrids(modality, size, encoder.dims.length))
        expect(cells(grid)).toBeGreaterThanOrEqual(16);
  });

  test('of a run that records no stages has the four of its time: the parameters of its checkpoint', () => {
    const file = new URL('runs/finished-20261128-024938/config.resolved.json', fixture);
    const stored = readStoredConfig(
      readFileSync(file, 'utf8'),
      file.pathname,
      '/',
      tasks.map(({ config }) => config),
    );
    const model = modelConfig(requirePretrain(stored.config!).model);
    expect(model.encoder.dims).toEqual([24, 48, 96, 128]);
    const header = JSON.parse(gunzipSync(readFileSync(new URL('checkpoint-header.json.gz', fixture))).toString('utf8'));
    for (const { name, shape } of parameterTable(model))
      expect([name, header[`student.${name}`]?.shape]).toEqual([name, shape]);
  });

  test('of earlier versions can still be asked for', () => {
    expect(modelConfig(configOf({ preset: 'nano', stages: 4 }).model).encoder.dims).toHaveLength(4);
  });
});

test('the networks of the paper have four stages and no other number', () => {
  expect(configOf({ preset: 'tiny' }).model.stages).toBe(4);
  expect(() => configOf({ preset: 'tiny', stages: 3 })).toThrow(/`tiny` has 4 stages/);
});
