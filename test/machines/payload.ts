import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { type Payload, readPayload } from '../../machines/payload.ts';
import type { WheelPin } from '../../protocol/engine/release.ts';
import { daemonBundle } from '../../scripts/bundles.mjs';

/**
 * A daemon for other machines whose runs the fake trainer trains (test/daemon/main.ts): whole, as it runs where no packages are.
 * @param pin the wheel that its installation of TensorFlow asks for; default: the product's
 */
export async function fakePayload(pin?: WheelPin): Promise<Payload & { remove(): void }> {
  const folder = mkdtempSync(join(resolve('dist'), 'test-'));
  await build({
    ...daemonBundle,
    entryPoints: { main: 'test/daemon/main.ts', 'image-thread': 'images/thread.ts' },
    outdir: folder,
    sourcemap: false,
    logLevel: 'error',
    plugins: pin === undefined ? [] : [withPin(pin)],
  });
  const payload = await readPayload(folder, '9.9.9');
  return { ...payload, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** The product's code, with another wheel for processors of this kind. */
function withPin(pin: WheelPin): Plugin {
  return {
    name: 'pin',
    setup({ onLoad }) {
      onLoad({ filter: /engine[\\/]release\.ts$/ }, ({ path }) => {
        const text = readFileSync(path, 'utf8');
        const contents = text.replace(/const cpuX64: WheelPin\[\] = \[[\s\S]*?\n\];/, () => {
          return `const cpuX64: WheelPin[] = [${JSON.stringify(pin)}];`;
        });
        if (contents === text) throw new Error('the list of wheels is not where it was');
        return { contents, loader: 'ts' };
      });
    },
  };
}
