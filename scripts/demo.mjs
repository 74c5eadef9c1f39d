// `npm run demo [-- options]`: from a fresh clone to a small trained network. All options are those of `unimiss demo`.
import { join } from 'node:path';
import { main, root, run, setup } from './setup.mjs';

await main(async () => {
  await setup();
  const built = await run(process.execPath, ['scripts/build.mjs'], { cwd: root });
  if (built !== 0) return built;
  // Runs in the folder where the user typed the command, so that `--data ./images` refers to it.
  const cwd = process.env.INIT_CWD ?? process.cwd();
  return run(process.execPath, [join(root, 'dist', 'daemon', 'main.js'), 'demo', ...process.argv.slice(2)], { cwd });
});
