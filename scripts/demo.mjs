// `npm run demo [-- options]`: from a fresh clone to a small trained network. All options are those of `unimiss demo`.
import { join } from 'node:path';
import { main, root, run, setup } from './setup.mjs';

await main(async () => {
  await setup();
  const built = await run(process.execPath, ['scripts/build.mjs'], { cwd: root });
  if (built !== 0) return built;
  // In the folder where the command was typed, so that `--data ./images` means what it says.
  const cwd = process.env.INIT_CWD ?? process.cwd();
  return run(process.execPath, [join(root, 'dist', 'daemon', 'main.js'), 'demo', ...process.argv.slice(2)], { cwd });
});
