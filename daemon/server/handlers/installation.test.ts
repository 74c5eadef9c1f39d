import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { sandbox } from '../../engine/install/fixtures.ts';
import { installationText } from './installation.ts';

beforeEach(() => {
  for (const [name, value] of Object.entries(sandbox().env)) vi.stubEnv(name, value);
  vi.stubEnv('UNIMISS_PJRT', '/nowhere/plugin.so'); // one to ask about
});
afterEach(() => vi.unstubAllEnvs());

const program = (code: string) => ({ file: process.execPath, args: ['-e', code] });
const said = 'console.log("pjrt:cpu     version 0.11.2; PJRT 0.114");';

test('what plugins say of themselves comes from another process', async () => {
  expect(await installationText(program(said))).toBe('pjrt:cpu     version 0.11.2; PJRT 0.114');
});

test('a plugin that ends the process leaves what was said before, and how it ended', async () => {
  const abort = program(`${said} console.error("Check failed: device"); process.abort();`);
  const text = await installationText(abort);
  expect(text).toMatch(/^pjrt:cpu {5}version 0\.11\.2; PJRT 0\.114\nplugins {6}did not all answer: .*SIGABRT/);
});

test('a plugin that never answers is not waited for, and the rest of the report is there', async () => {
  const text = await installationText(program('setInterval(() => {}, 1000);'), { timeLimit: 300 });
  expect(text).toContain(process.version);
  expect(text).toMatch(/\nplugins {6}did not all answer: no end within 0\.3 s$/);
});

test('without a plugin no process is started', async () => {
  vi.stubEnv('UNIMISS_PJRT', '');
  const text = await installationText(program('console.log("started")'));
  expect(text).toContain(process.version);
  expect(text).not.toContain('started');
});
