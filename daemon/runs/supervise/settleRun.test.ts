import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { resolveConfig } from '../../../protocol/config/index.ts';
import { parseConfig } from '../../../protocol/config/parseConfig.ts';
import type { RunEnding } from '../../../protocol/runs/runInfo.ts';
import { RunFolder } from '../folder/runFolder.ts';
import { writeEnding } from './settleRun.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'unimiss-settle-'));
});
afterAll(() => rm(root, { recursive: true }));

const time = '2026-01-02T03:04:05.000Z';
const ending: RunEnding = {
  how: 'died',
  message: 'The trainer died.',
  signal: 'SIGKILL',
  exitCode: null,
  lastWords: 'reading Jane.nii',
  time,
};

it('records how a run ended even if its configuration is unreadable, without last words that may name images', async () => {
  const text = '{ "data": { "paths": "ct" } }';
  const made = await RunFolder.create(root, text, resolveConfig(parseConfig(text, 'a'), { baseDir: root }));
  const problems: string[] = [];
  const problem = (message: string) => problems.push(message);
  await writeFile(join(made.folder, 'config.resolved.json'), '{ "task": "fly" }');
  await writeEnding(await RunFolder.open(made.folder), ending, time, problem);
  expect(problems).toEqual([]);
  const records = await readFile(made.recordsFile, 'utf8');
  expect(JSON.parse(records)).toMatchObject({ event: 'warning', message: 'The trainer died.', time });
  expect(records + (await readFile(made.logFile, 'utf8'))).not.toContain('Jane');
});
