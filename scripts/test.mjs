// `npm test`: sets everything up, TensorFlow too, runs the tests and ends with one line: `N passed, N failed, N skipped`.
//   --long     the tests that take minutes (*.long.ts) in place of the others
//   --golden   only those that compare with the reference's numbers; UNIMISS_GOLDEN names another folder of them
// Other arguments go to Vitest: `npm test -- daemon/data`, `npm test -- -t "name of a test"`.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { countLine, countTests } from './counts.mjs';
import { main, root, run, setup } from './setup.mjs';

await main(async () => {
  const args = process.argv.slice(2);
  const long = takeFlag(args, '--long');
  if (takeFlag(args, '--golden')) args.push('test/golden');
  const env = { ...process.env, ...(long && { UNIMISS_TEST_LONG: '1' }) };
  // Tests run in the project's folder; a path that was typed elsewhere is meant from there.
  for (const name of ['UNIMISS_GOLDEN', 'UNIMISS_SAMPLES']) {
    if (env[name]) env[name] = resolve(env.INIT_CWD ?? '.', env[name]);
  }

  await setup();
  const built = await run(process.execPath, ['scripts/build.mjs'], { cwd: root });
  if (built !== 0) return built;
  if (!env.UNIMISS_TENSORFLOW) {
    const installed = await run(process.execPath, ['dist/daemon/main.js', 'engine', 'install'], { cwd: root, env });
    if (installed !== 0) return installed;
  }

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

/** Removes a flag from the arguments and says whether it was there. */
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
