import { expect, test } from 'vitest';
import { parseConfig } from '../../../protocol/config/parseConfig.ts';
import type { PretrainGiven } from '../../../protocol/config/pretrain/index.ts';
import { UnimissError } from '../../../protocol/errors.ts';
import { applySetting, settingOf } from './applySetting.ts';

const full = '{ "name": "a", // mine\n "data": { "paths": ["ct"] }, "train": { "epochs": 3, "finalLr": null } }';
const small = '{ "data": { "paths": "ct" } }';

test('changes one value and keeps comments', () => {
  expect(applySetting(full, 'train.epochs=20')).toBe(full.replace('3', '20'));
  expect(parseConfig<PretrainGiven>(applySetting(small, 'train.batch.3D=4'), 'a').train.batch['3D']).toBe(4);
  expect(parseConfig(applySetting(small, 'name=chest'), 'a').name).toBe('chest');
});

test.each([
  [full, 'name.a=1', /"name" is a string.*"name\.a"[\s\S]*--set 'name=…'/],
  [full, 'train.epochs.x=1', /"train\.epochs" is a number[\s\S]*--set 'train\.epochs=…'/],
  [full, 'data.paths.0=3', /"data\.paths" is a list[\s\S]*--set 'data\.paths=\["…", "…"\]'/],
  [small, 'data.paths.0=3', /"data\.paths" is a string/],
  ['[1]', 'name=a', /the configuration is not an object/],
  [full, 'train..epochs=3', /"train\.\.epochs" is not a field name/],
  [full, 'epochs', /not key=value/],
])('%s --set %s is refused with what helps', (text, setting, message) => {
  let thrown: unknown;
  try {
    applySetting(text, setting);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(UnimissError);
  expect(thrown).toMatchObject({ code: 'config', message: expect.stringMatching(message) });
});

test.each([
  ['name.a=1', /name: .*is not a string/],
  ['train.epochs.x=1', /train\.epochs: .*is not a number/],
  ['train.weightDecay.0=3', /train\.weightDecay: .*is not a list/],
  ['data.manifest.x=3', /data\.manifest: .*is not a string/],
  ['model.head.__proto__=1', /__proto__/],
  ['__proto__.x=1', /__proto__/],
])('%s, where the text does not have it yet, is refused by the schema', (setting, message) => {
  expect(() => parseConfig(applySetting(small, setting), 'a')).toThrow(message);
});

test.each([
  ['train.epoch', '--set train.epoch=3'],
  ['train', '--set train.epoch=3'],
  ['name', '--set name=b'],
  ['data.paths.0', '--set data.paths=["x"]'],
  ['trai', undefined],
  ['', undefined],
])('the place of %s is %s', (field, place) => {
  expect(settingOf(field, ['name=a', 'train.epoch=3', 'name=b', 'data.paths=["x"]'])).toBe(place);
});
