import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parseConfig } from './config/parseConfig.ts';
import type { PretrainGiven } from './config/pretrain/index.ts';

it('documentation and JSON Schema are those of the present schema', () => {
  expect(execFileSync(process.execPath, ['scripts/docs.mjs', '--check'], { encoding: 'utf8' })).toBe('');
});

it('the example in the documentation is valid', () => {
  const example = /```jsonc\n(.*?)```/s.exec(readFileSync('docs/configuration.md', 'utf8'))![1]!;
  expect(parseConfig<PretrainGiven>(example, 'configuration.md').data.paths).toEqual(['ct', 'xray']);
});
