import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build, type Plugin } from 'esbuild';

type Bundles<N extends string> = Record<N, string> & { remove(): void };

/**
 * Bundles scripts of this folder so that node can run them as processes; they lie under dist/, from where node finds the packages.
 * @returns their paths by name, and how to remove them
 */
export function bundleScripts<N extends string>(...names: N[]): Promise<Bundles<N>> {
  return bundle(names, []);
}

/** As `bundleScripts`, but of a program that speaks another version of the control protocol. */
export function bundleScriptsOfControl<N extends string>(version: number, ...names: N[]): Promise<Bundles<N>> {
  return bundle(names, [otherControl(version)]);
}

function otherControl(version: number): Plugin {
  return {
    name: 'other-control',
    setup({ onLoad }) {
      onLoad({ filter: /protocol\/runs\/trainerMessages\.ts$/ }, ({ path }) => {
        const text = readFileSync(path, 'utf8');
        const contents = text.replace(/controlVersion = \d+/, `controlVersion = ${version}`);
        if (contents === text) throw new Error('the version of the control protocol is not where it was');
        return { contents, loader: 'ts' };
      });
    },
  };
}

async function bundle<N extends string>(names: N[], plugins: Plugin[]): Promise<Bundles<N>> {
  const base = resolve('dist');
  mkdirSync(base, { recursive: true });
  const folder = mkdtempSync(join(base, 'test-'));
  await build({
    entryPoints: Object.fromEntries(names.map((name) => [name, `test/daemon/${name}.ts`])),
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    // Node finds no named exports in its UMD files.
    alias: {
      'vscode-json-languageservice': './node_modules/vscode-json-languageservice/lib/esm/jsonLanguageService.js',
    },
    logLevel: 'error',
    plugins,
  });
  const paths = Object.fromEntries(names.map((name) => [name, join(folder, `${name}.mjs`)])) as Record<N, string>;
  return Object.assign(paths, { remove: () => rmSync(folder, { recursive: true, force: true }) });
}
