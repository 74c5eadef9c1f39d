import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseConfig } from '../../protocol/config/parseConfig.ts';
import { putNnunet, putVolume } from '../labelled/makeSets.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'plan-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const unimiss = (...args: string[]) =>
  new Promise<{ code: unknown; stdout: string; stderr: string }>((resolve) => {
    execFile(process.execPath, ['dist/daemon/main.js', ...args], (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, stdout, stderr }),
    );
  });

it('prints a configuration and nothing else on standard output', async () => {
  const set = await putNnunet(join(root, 'sound'), { cases: 5 });
  const { code, stdout, stderr } = await unimiss('plan', set);
  expect(code).toBe(0);
  expect(parseConfig(stdout, 'plan')).toMatchObject({ task: 'finetune', data: { path: set, layout: 'nnunet' } });
  expect(stderr).toContain('No problems found.');
});

it('with errors: names each file, still writes the configuration, and ends with 4', async () => {
  const set = await putNnunet(join(root, 'faults'), { cases: 6 });
  await rm(join(set, 'labelsTr/case_002.nii'));
  await putVolume(join(set, 'imagesTr/case_004_0000.nii'), { seed: 'case_003 0' });
  const out = join(root, 'faults.unimiss.jsonc');
  const { code, stdout, stderr } = await unimiss('plan', set, '--out', out, '--folds', '2', '--seed', '7', '--json');
  expect(code).toBe(4);
  expect(stderr).toContain('case_002_0000.nii has no label.');
  expect(stderr).toContain('case_004_0000.nii has the same voxels as');
  expect(parseConfig(await readFile(out, 'utf8'), out)).toMatchObject({ data: { folds: 2, seed: 7 } });
  const told = JSON.parse(stdout);
  expect(told.findings.map(({ kind }: { kind: string }) => kind)).toEqual(['missingLabel', 'duplicate']);
  expect(told.split.folds).toHaveLength(2);
});

it('leaves a configuration that is there as it is', async () => {
  const set = await putNnunet(join(root, 'changed'), { cases: 2 });
  const out = join(root, 'changed.unimiss.jsonc');
  await writeFile(out, '// changed by hand');
  const { code, stdout, stderr } = await unimiss('plan', set, '--out', out);
  expect({ code, stdout }).toEqual({ code: 8, stdout: '' });
  expect(stderr).toMatch(/changed\.unimiss\.jsonc: exists already.*\n.*Choose another name/);
  expect(await readFile(out, 'utf8')).toBe('// changed by hand');
});

it('what is no data set, and impossible options', async () => {
  expect(await unimiss('plan', join(root, 'absent'))).toMatchObject({ code: 4, stdout: '' });
  expect(await unimiss('plan', root, '--folds', '1')).toMatchObject({ code: 2, stdout: '' });
});
