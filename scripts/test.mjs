// `npm test`: sets everything up (TensorFlow, a plugin of PJRT for the CPU; for the tests of the page and of the editor also a browser
// and VS Code's server), runs the tests, and ends with one line: `N passed, N failed, N skipped`.
//   --long    the tests that take minutes (*.long.ts) instead of the others
//   --golden  only the tests against the reference's numbers; UNIMISS_GOLDEN names another folder of these
// Other arguments go to Vitest: `npm test -- daemon/data`, `npm test -- -t "name of a test"`.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { countLine, countTests } from './counts.mjs';
import { main, root, run, setup } from './setup.mjs';
import { toolsFor } from './testTools.mjs';

const cli = join('dist', 'daemon', 'main.js');

await main(async () => {
  const args = process.argv.slice(2);
  const long = takeFlag(args, '--long');
  if (takeFlag(args, '--golden')) args.push('test/golden');
  const env = { ...process.env, ...(long && { UNIMISS_TEST_LONG: '1' }) };
  // Tests run in the project's folder; resolve paths from the folder where the user typed them.
  for (const name of ['UNIMISS_GOLDEN', 'UNIMISS_SAMPLES', 'UNIMISS_LABELLED', 'UNIMISS_TENSORFLOW', 'UNIMISS_PJRT']) {
    if (env[name]) env[name] = resolve(env.INIT_CWD ?? '.', env[name]);
  }

  await setup();
  const built = await run(process.execPath, ['scripts/build.mjs'], { cwd: root });
  if (built !== 0) return built;
  if (!(await hasEngine(env))) {
    const installed = await run(process.execPath, [cli, 'engine', 'install'], { cwd: root, env });
    if (installed !== 0) return installed;
  }
  // Without it the tests on PJRT are skipped.
  if (process.platform === 'linux' && process.arch === 'x64' && !env.UNIMISS_PJRT)
    await run(process.execPath, [cli, 'engine', 'install', '--device', 'pjrt:cpu'], {
      cwd: root,
      env,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  // Before tests are collected, because tests whose needs are missing then are skipped.
  const tools = toolsFor(args);
  if (tools) await setUpTools(tools);

  const folder = mkdtempSync(join(tmpdir(), 'unimiss-test-'));
  try {
    const file = join(folder, 'report.json');
    const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
    const code = await run(process.execPath, [vitest, 'run', ...reporters, ...args], { cwd: root, env });
    const counts = countTests(readReport(file), code);
    console.log(countLine(counts));
    return code !== 0 ? code : counts.failed > 0 ? 1 : 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

/**
 * Whether there is a TensorFlow for the tests (test/globalSetup.ts passes it to them): named, in the cache, or in the default
 * cache.
 */
async function hasEngine(env) {
  const { UNIMISS_CACHE: _, XDG_CACHE_HOME: __, ...usual } = env;
  for (const each of [env, usual]) {
    const options = { cwd: root, env: each, stdio: 'ignore' };
    if ((await run(process.execPath, [cli, 'engine', 'info'], options)) === 0) return true;
  }
  return Boolean(env.UNIMISS_TENSORFLOW); // the tests report a named one that is unusable
}

/** Installs missing tools. If it cannot, says why; the tests are then skipped or fail. */
async function setUpTools(tools) {
  if (process.platform !== 'linux') return;
  const script = join(root, 'test', 'editor', 'kit', 'setup.sh');
  // Without an editor, a browser may still be possible.
  for (const only of tools === 'editor' ? [[], ['browser']] : [['browser']]) {
    const reason = execFileSync(script, ['--check', ...only], { encoding: 'utf8' }).trim();
    if (reason) {
      console.error(`Not every test can run here: ${reason}`);
      continue;
    }
    // It prints a folder, for programs only.
    const code = await run(script, only, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
    if (code !== 0) console.error(`What tests need could not be installed (exit code ${code}): see above.`);
    return;
  }
}

/** Removes a flag from the arguments. @returns whether it was there */
function takeFlag(args, flag) {
  const at = args.indexOf(flag);
  if (at >= 0) args.splice(at, 1);
  return at >= 0;
}

/** Vitest's report; undefined if it ended before it could write one. */
function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
