import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { type ErrorCode, UnimissError } from '../protocol/errors.ts';

vi.mock('vscode', () => import('../test/extension/vscode.ts'));

const { parsePlace, remediesOf, withRemedies } = await import('./remedies.ts');
const { fieldIn } = await import('./commands/startRemedies.ts');
const { withLowerRate } = await import('./runs/lowerRate.ts');

const folder = mkdtempSync(join(tmpdir(), 'um-remedies-'));
const file = join(folder, 'chest.unimiss.jsonc');
writeFileSync(file, '{}');
const titles = (error: unknown) => remediesOf(error).map(({ title }) => title);

it('reads the places of errors: files that exist, with line and column', () => {
  expect(parsePlace(file)).toEqual({ path: file, line: undefined, column: 0 });
  expect(parsePlace(`${file}:3:14`)).toEqual({ path: file, line: 2, column: 13 });
  expect(parsePlace(`${file}:3: train.epochs`)).toEqual({ path: file, line: 2, column: 0 });
  expect(parsePlace(join(folder, 'absent'))).toBeUndefined();
  expect(parsePlace('train.batch')).toBeUndefined();
});

it.each([
  ['config', `${file}:1:1`, ['Open File']],
  ['data', folder, ['Show Folder']],
  ['data', 'train.batch', []],
  ['engine', undefined, ['Install TensorFlow…', 'Check Installation']],
  ['run', undefined, ['Show Runs']],
  ['daemon', undefined, ['Reconnect']],
  ['disk', folder, ['Show Folder']],
  ['internal', undefined, ['Check Installation']],
] as [ErrorCode, string | undefined, string[]][])(
  'an error of code %s at %s has its buttons',
  (code, place, buttons) => {
    expect(titles(new UnimissError(code, 'is wrong', { place }))).toEqual(buttons);
  },
);

it('puts what only the place knows where an error was caught first, at most three in all', () => {
  const remedy = (title: string) => ({ title, run: () => {} });
  const error = new UnimissError('engine', 'CUDA cannot be used');
  expect(titles(withRemedies(error, [remedy('Use CPU for This Run'), remedy('Open Configuration')]))).toEqual([
    'Use CPU for This Run',
    'Open Configuration',
    'Install TensorFlow…',
  ]);
  withRemedies(error, ['a', 'b', 'c', 'd'].map(remedy));
  expect(titles(error)).toEqual(['a', 'b', 'c']);
});

it('finds the field that an error is about', () => {
  expect(fieldIn('{ "data": { "path": "/organs" } }', 'data')).toEqual(['data', 'path']);
  expect(fieldIn('{ "data": { "paths": ["/ct"] } }', 'data')).toEqual(['data', 'paths']);
  expect(fieldIn('{ "data": { "path": "/organs" } }', 'checkpoint')).toBeUndefined();
  expect(fieldIn('not JSON', 'data')).toBeUndefined();
});

it('lowers the learning rate of a run that diverged, and keeps comments', () => {
  const text = '{\n  // mine\n  "train": { "epochs": 3 }\n}';
  const lower = withLowerRate(text, { train: { lr: 1e-3 } });
  expect(lower).toContain('// mine');
  expect(lower).toContain('"lr": 0.00025');
  expect(withLowerRate(text, {})).toBe(text);
});
