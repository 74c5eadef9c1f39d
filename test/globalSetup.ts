import { execFileSync } from 'node:child_process';

/** Integration tests start the real bundles, so these are built anew before any test. */
export default function setup(): void {
  execFileSync(process.execPath, ['scripts/build.mjs'], { stdio: 'inherit' });
}
