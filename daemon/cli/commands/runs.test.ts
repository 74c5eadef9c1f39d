import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, it, vi } from 'vitest';
import { resolveConfig } from '../../../protocol/config/index.ts';
import { parseConfig } from '../../../protocol/config/parseConfig.ts';
import { RunFolder } from '../../runs/folder/runFolder.ts';
import { browserOf, openCommand } from './open.ts';
import { runsCommand } from './runs.ts';

const root = mkdtempSync(join(tmpdir(), 'unimiss-runs-'));
afterAll(() => rmSync(root, { recursive: true }));
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

/** A run that ended with an event at a minute of an hour. */
async function runThat(name: string, event: 'finish' | 'error', minute: number): Promise<RunFolder> {
  const text = JSON.stringify({ name, data: { paths: '/ct' } });
  const created = new Date(Date.UTC(2026, 0, 1, 10, minute));
  const run = await RunFolder.create(root, text, resolveConfig(parseConfig(text, 'a'), { baseDir: '/' }), created);
  const step = {
    kind: 'step',
    step: 11_999,
    epoch: 4,
    group: '2D',
    loss: 5,
    values: {},
    stepMs: 1,
    waitMs: 0,
    rssMiB: 1,
  };
  const lines = [step, { kind: 'event', event, message: 'x' }].map((line) => ({
    ...line,
    time: created.toISOString(),
  }));
  writeFileSync(run.recordsFile, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  return run;
}

/** What a command prints, on standard output and error. */
async function printed(
  command: { parseAsync(args: string[], how: { from: 'user' }): Promise<unknown> },
  args: string[],
) {
  const out = heard('stdout');
  const err = heard('stderr');
  await command.parseAsync([...args, '--foreground', '--runs', root], { from: 'user' });
  vi.restoreAllMocks();
  return { out: out.join(''), err: err.join('') };
}

/** What is written to a stream from now on. */
function heard(stream: 'stdout' | 'stderr'): string[] {
  const parts: string[] = [];
  vi.spyOn(process[stream], 'write').mockImplementation((text) => {
    parts.push(String(text));
    return true;
  });
  return parts;
}

it('runs are listed by state and in an order, with thousands', async () => {
  await runThat('b', 'finish', 1);
  await runThat('a', 'finish', 2);
  await runThat('c', 'error', 3);
  const names = async (...args: string[]) =>
    (await printed(runsCommand(), args)).out
      .split('\n')
      .slice(1, -1)
      .map((line) => line.split('-')[0]);
  expect(await names()).toEqual(['c', 'a', 'b']);
  expect(await names('--sort', 'name')).toEqual(['a', 'b', 'c']);
  expect(await names('--state', 'finished')).toEqual(['a', 'b']);
  expect(await names('--state', 'finished', 'failed', '--sort', 'name')).toEqual(['a', 'b', 'c']);
  expect((await printed(runsCommand(), ['--state', 'queued'])).out).toBe(`No run in ${root} is queued.\n`);
  expect((await printed(runsCommand(), ['--state', 'failed'])).out).toMatch(
    /failed +tiny +5\/200 +12,000 +5\.000 2D +- /,
  );
});

it('open writes the page of a run, and says where it is if no browser can be started', async () => {
  const { folder } = await runThat('page', 'finish', 4);
  vi.stubEnv('BROWSER', join(root, 'no such program'));
  const { out, err } = await printed(openCommand(), [folder]);
  expect(out).toBe(`${join(folder, 'report.html')}\n`);
  expect(existsSync(out.trim())).toBe(true);
  expect(err).toMatch(/^There is no browser here\. /);
});

it('the browser is that of the user', () => {
  expect(browserOf('linux', { BROWSER: 'firefox', DISPLAY: ':0' })).toBe('firefox');
  expect(browserOf('linux', { WAYLAND_DISPLAY: 'wayland-0' })).toBe('xdg-open');
  expect(browserOf('darwin', {})).toBe('open');
  expect(browserOf('linux', {})).toBeUndefined();
});
