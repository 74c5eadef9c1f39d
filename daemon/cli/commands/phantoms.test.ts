import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { phantomsCommand } from './phantoms.ts';

const folder = () => mkdtempSync(join(tmpdir(), 'phantoms-command-'));
const run = (...args: string[]) =>
  phantomsCommand()
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
    .parseAsync(args, { from: 'user' });

test('draws what is asked for, and leaves conditions out of one modality', async () => {
  const out = folder();
  await run(out, '--seed', '3', '--volumes', '2', '--images', '4', '--slices', '8', '--only', '3D=nodules');
  const rows = readFileSync(join(out, 'manifest.csv'), 'utf8').trim().split('\n').slice(1);
  expect(rows.map((row) => row.split(',')[1])).toEqual([
    'nodules',
    'nodules',
    'clear',
    'nodules',
    'fibrosis',
    'effusion',
  ]);
});

test.each([
  ['--only', '4D=clear'],
  ['--only', '3D=tumour'],
  ['--volumes', '-1'],
])('refuses %s %s', async (option, value) => {
  await expect(run(folder(), option, value)).rejects.toThrow(/argument '.*' is invalid/);
});
