import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { environmentIn, withoutUsers } from './environment.ts';
import { findChromium, folderOf, lack, required } from './needs.ts';

test('UNIMISS_REQUIRE knows its words, and refuses others', () => {
  expect(required('')).toEqual(new Set());
  expect(required(' editor,browser,')).toEqual(new Set(['browser', 'editor']));
  expect(() => required('browser,edtior')).toThrow(
    /unknown edtior.*browser, editor, samples, labelled, pjrt, pjrt-cuda, sshd/,
  );
});

test('what is missing is a skip with its reason, and a failure where it is required', () => {
  expect(lack('editor', 'chromium is missing', new Set())).toBe('chromium is missing');
  expect(lack('editor', '', new Set(['editor']))).toBe('');
  expect(() => lack('editor', 'chromium is missing', new Set(['editor']))).toThrow(/editor, but chromium is missing/);
});

test('a named folder that does not exist is never a skip', () => {
  expect(folderOf('labelled', {})).toBeUndefined();
  expect(folderOf('labelled', { UNIMISS_LABELLED: 'test' })).toBe(import.meta.dirname);
  expect(() => folderOf('labelled', { UNIMISS_LABELLED: '/nowhere' })).toThrow(/UNIMISS_LABELLED: \/nowhere/);
  expect(() => folderOf('samples', { UNIMISS_REQUIRE: 'samples' })).toThrow(/samples, but UNIMISS_SAMPLES is not set/);
});

test('chromium is looked for on the PATH', () => {
  expect(findChromium('/nowhere:relative')).toBeUndefined();
});

test("the user's variables reach no process of a test", () => {
  const users = { UNIMISS_CACHE: '/a', UNIMISS_RUNS: '/b', UNIMISS_SOCKET: '/c', XDG_CONFIG_HOME: '/d' };
  expect(withoutUsers({ ...users, HOME: '/h', UNIMISS_SAMPLES: '/s' })).toEqual({ HOME: '/h', UNIMISS_SAMPLES: '/s' });
  // This worker has folders of the test run alone, and so has what it starts.
  const print = ['-p', 'JSON.stringify(process.env)'];
  const child = JSON.parse(execFileSync(process.execPath, print, { encoding: 'utf8', env: environmentIn('/f') }));
  const worker = JSON.parse(execFileSync(process.execPath, print, { encoding: 'utf8' }));
  for (const [name, value] of Object.entries<string>({ ...worker, ...child })) {
    if (!/^(XDG_|UNIMISS_(RUNS|SOCKET|CACHE)$)/.test(name)) continue;
    expect(value.startsWith(tmpdir()) || value.startsWith(join('/f', '')), `${name}=${value}`).toBe(true);
  }
  expect(child.UNIMISS_TENSORFLOW).toBe(process.env.UNIMISS_TENSORFLOW);
});
