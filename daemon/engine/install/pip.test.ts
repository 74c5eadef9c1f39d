import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fakePip, fakeWheel, rejection, sandbox } from './fixtures.ts';
import { downloadWheel, findPip } from './pip.ts';
import { explainPip } from './pipErrors.ts';

describe('finding pip', () => {
  test('as a module of python3', async () => {
    const box = sandbox();
    fakePip(box, []);
    expect(await findPip(box.env)).toEqual({ command: 'python3', args: ['-m', 'pip'], version: '24.0' });
  });

  test('as a program, where python3 has no pip', async () => {
    const box = sandbox();
    box.program('python3', `console.error('No module named pip'); process.exit(1);`);
    fakePip(box, [], { command: 'pip3', version: '23.2.1' });
    expect(await findPip(box.env)).toEqual({ command: 'pip3', args: [], version: '23.2.1' });
  });

  test("behind pyenv's shims", async () => {
    const box = sandbox();
    const shims = join(box.folder, 'pyenv', 'shims');
    mkdirSync(shims, { recursive: true });
    box.program('../pyenv/shims/python3', `console.log('pip 22.3 from /x (python 3.10)');`);
    expect(await findPip({ ...box.env, PYENV_ROOT: join(box.folder, 'pyenv') })).toMatchObject({
      command: join(shims, 'python3'),
      version: '22.3',
    });
  });

  test('a later one if the first is too old', async () => {
    const box = sandbox();
    fakePip(box, [], { command: 'python3', version: '9.0.1' });
    fakePip(box, [], { command: 'pip', version: '20.3.4' });
    expect(await findPip(box.env)).toMatchObject({ command: 'pip', version: '20.3.4' });
  });

  test('only one that is too old is named with the remedy', async () => {
    const box = sandbox();
    fakePip(box, [], { version: '19.2.3' });
    const error = await rejection(findPip(box.env));
    expect(error.message).toMatch(/pip 19\.2\.3 is too old.*\n.*--upgrade pip/);
  });
});

test('a download runs in a folder of its own on the disk of the cache, with the environment of the user', async () => {
  const box = sandbox();
  const wheel = fakeWheel('some-package', { 'a.txt': Buffer.from('a') });
  const seen = join(box.folder, 'seen');
  fakePip(box, [wheel], {
    before: `fs.writeFileSync(${JSON.stringify(seen)}, JSON.stringify([process.cwd(), process.env.TMPDIR, process.env.PIP_CONFIG_FILE]));`,
  });
  const pip = await findPip(box.env);
  const env = { ...box.env, PIP_CONFIG_FILE: '/etc/my-pip.conf' };
  const file = await downloadWheel(pip, wheel.pin, { platforms: ['any'], folder: box.folder, env });
  expect(file).toBe(join(box.folder, 'some-package.whl'));
  expect(readFileSync(file)).toEqual(Buffer.from(wheel.data));
  const [cwd, tmp, config] = JSON.parse(readFileSync(seen, 'utf8'));
  expect(cwd).toBe(tmp);
  expect(tmp.startsWith(join(box.folder, 'pip-'))).toBe(true);
  expect(config).toBe('/etc/my-pip.conf');
});

test('a download that fills the disk is reported as such', async () => {
  const box = sandbox();
  const wheel = fakeWheel('some-package', {});
  fakePip(box, [], {
    before: `fail('ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device');`,
  });
  const download = downloadWheel(await findPip(box.env), wheel.pin, {
    platforms: [],
    folder: box.folder,
    env: box.env,
  });
  expect(await rejection(download)).toMatchObject({ code: 'disk' });
});

// The output of pips from 20.3 to 25.
test.each([
  ['[Errno 28] No space left on device', 'disk', /disk is full/],
  ["[Errno 13] Permission denied: '/cache/pip'", 'disk', /has no permission to write/],
  [
    'ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.',
    'engine',
    /returned an unexpected file/,
  ],
  [
    "WARNING: Retrying (Retry(total=0)) after connection broken by 'ProxyError('Cannot connect to proxy.')'\nERROR: No matching distribution found for t",
    'engine',
    /cannot reach a package index/,
  ],
  ['[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed', 'engine', /certificate/],
  ['ReadTimeoutError: HTTPSConnectionPool: Read timed out.', 'engine', /cannot reach a package index/],
  ['ERROR: Could not find a version that satisfies the requirement t==2 (from versions: 1)', 'engine', /has no t 2/],
  ['Traceback (most recent call last): KeyError', 'engine', /could not download t 2/],
] as const)('pip says %j', (output, code, message) => {
  const error = explainPip(output, { name: 't', version: '2', sha256: '', bytes: 0, unpackedBytes: 0 });
  expect(error.code).toBe(code);
  expect(error.message).toMatch(message);
  expect(error.message).toContain(`pip said: ${output.split('\n')[0]}`);
  expect(error.details.remedy).toMatch(/\.( pip said|$)/);
});
