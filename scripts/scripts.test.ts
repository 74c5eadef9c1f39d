import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { countLine, countTests } from './counts.mjs';
import { nodeProblem, root, setup, staleReason } from './setup.mjs';
import { toolsFor } from './testTools.mjs';

/** A project with the packages `a` and, for other systems only, `b`. */
function project(installed?: Record<string, unknown>): string {
  const folder = mkdtempSync(join(tmpdir(), 'unimiss-setup-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const write = (path: string, value: unknown): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), JSON.stringify(value));
  };
  write('package.json', { engines: { node: '>=20.19' } });
  write('package-lock.json', {
    packages: {
      '': {},
      'node_modules/a': { version: '1.0.0', integrity: 'x' },
      'node_modules/b': { version: '1.0.0', integrity: 'y', optional: true },
    },
  });
  if (installed) {
    write('node_modules/.package-lock.json', { packages: installed });
    for (const path of Object.keys(installed)) write(join(path, 'package.json'), {});
  }
  return folder;
}

const a = { version: '1.0.0', integrity: 'x' };

test('packages are installed when they are missing or not those of the lock file, and only then', () => {
  expect(staleReason(project())).toContain('not installed yet');
  expect(staleReason(project({ 'node_modules/a': a }))).toBeUndefined();
  expect(staleReason(project({ 'node_modules/a': { ...a, version: '1.0.1' } }))).toContain('has changed');
  expect(staleReason(project({ 'node_modules/a': { ...a, integrity: 'z' } }))).toContain('has changed');
  expect(staleReason(project({}))).toContain('has changed');
  expect(staleReason(project({ 'node_modules/a': a, 'node_modules/c': a }))).toContain('has changed');
  const deleted = project({ 'node_modules/a': a });
  rmSync(join(deleted, 'node_modules/a'), { recursive: true });
  expect(staleReason(deleted)).toBe('node_modules/a is missing');
  const cut = project({ 'node_modules/a': a });
  writeFileSync(join(cut, 'node_modules/.package-lock.json'), '{"pack');
  expect(staleReason(cut)).toContain('not completed');
});

/** A stand-in for npm that runs JavaScript. */
function useNpm(script: string): void {
  const folder = mkdtempSync(join(tmpdir(), 'unimiss-npm-'));
  const file = join(folder, 'npm-cli.js');
  writeFileSync(file, script);
  const before = process.env.npm_execpath;
  process.env.npm_execpath = file;
  onTestFinished(() => {
    if (before === undefined) delete process.env.npm_execpath;
    else process.env.npm_execpath = before;
    rmSync(folder, { recursive: true });
  });
}

test('set-up runs npm ci once, in a fresh clone', async () => {
  const folder = project();
  useNpm(`const fs = require('node:fs');
    fs.appendFileSync('calls', process.argv[2] + '\\n');
    fs.mkdirSync('node_modules/a', { recursive: true });
    fs.writeFileSync('node_modules/a/package.json', '{}');
    fs.writeFileSync('node_modules/.package-lock.json', JSON.stringify({ packages: { 'node_modules/a': ${JSON.stringify(a)} } }));`);
  const lines: string[] = [];
  await setup(folder, (line: string) => lines.push(line));
  await setup(folder, (line: string) => lines.push(line));
  expect(readFileSync(join(folder, 'calls'), 'utf8')).toBe('ci\n');
  expect(lines).toHaveLength(2);
});

test("set-up passes on npm's words when it fails", async () => {
  useNpm(`console.error('npm error network down'); process.exit(1);`);
  await expect(setup(project(), () => {})).rejects.toThrow(/network down\nnpm ci failed/);
});

test('an old Node is refused with the remedy', () => {
  expect(nodeProblem('v18.20.0', '>=20.19')).toContain('nvm install 20');
  expect(nodeProblem('v20.18.3', '>=20.19')).toContain('20.19 or newer');
  for (const version of ['v20.19.0', 'v20.20.2', 'v22.1.0', 'v100.0.0']) {
    expect(nodeProblem(version, '>=20.19')).toBeUndefined();
  }
});

test('the count hides no failure', () => {
  const file = (status: string, ...tests: string[]) => ({
    status,
    assertionResults: tests.map((each) => ({ status: each })),
  });
  const report = {
    testResults: [file('passed', 'passed', 'passed', 'pending', 'todo'), file('failed', 'failed', 'passed')],
  };
  expect(countLine(countTests(report, 1))).toBe('3 passed, 1 failed, 2 skipped');
  // A file that could not be loaded has no tests.
  expect(countTests({ testResults: [file('passed', 'passed'), file('failed')] }, 1)).toMatchObject({
    passed: 1,
    failed: 1,
  });
  // Only the exit code shows an error outside all tests, or a Vitest that wrote no report.
  expect(countTests({ testResults: [file('passed', 'passed')] }, 1)).toMatchObject({ passed: 1, failed: 1 });
  expect(countTests(undefined, 134)).toEqual({ passed: 0, failed: 1, skipped: 0 });
});

test('before tests are collected, what the chosen ones need is set up', () => {
  expect(toolsFor([])).toBe('editor');
  expect(toolsFor(['-t', 'a name'])).toBe('editor');
  expect(toolsFor(['metrics.test'])).toBe('editor');
  expect(toolsFor(['--project', 'units'])).toBe('browser');
  expect(toolsFor(['daemon/data', 'webviews'])).toBe('browser');
  expect(toolsFor(['daemon/data', '-t', 'a name'])).toBeUndefined();
  expect(toolsFor(['test/golden'])).toBeUndefined();
});

test('a program that a script runs stops by itself at Ctrl-C, and its exit code is kept', async () => {
  // Both get the terminal's signal; the program ends later, with its own code.
  const program = `process.on('SIGINT', () => { console.log('saved'); process.exit(7); }); console.log('ready'); setInterval(() => {}, 1000);`;
  const script = `import { run } from ${JSON.stringify(join(root, 'scripts/setup.mjs'))};
    process.exitCode = await run(process.execPath, ['-e', ${JSON.stringify(program)}]);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text;
    if (text.includes('ready')) process.kill(-child.pid!, 'SIGINT');
  });
  const [code] = await once(child, 'close');
  expect(code).toBe(7);
  expect(output).toBe('ready\nsaved\n');
});
