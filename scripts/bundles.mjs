/** Options of esbuild for what runs in dist/: see build.mjs. */
export const common = { bundle: true, sourcemap: true, logLevel: 'warning', legalComments: 'none' };

const node = {
  ...common,
  platform: 'node',
  target: 'node20',
  // Its UMD files hide their `require` calls from bundlers.
  alias: {
    'jsonc-parser': 'jsonc-parser/lib/esm/main.js',
    'vscode-json-languageservice': 'vscode-json-languageservice/lib/esm/jsonLanguageService.js',
  },
};

/** The extension, which the editor loads by `require`: main.cjs at activation, whole.cjs with the first use. */
export const extensionBundle = {
  ...node,
  outExtension: { '.js': '.cjs' }, // the package's type is "module"
  format: 'cjs',
  external: ['vscode'],
  // zod looks for it to detect Cloudflare, and the extension host reports that.
  define: { navigator: 'undefined' },
};

/** The daemon, which runs where no packages are but koffi. */
export const daemonBundle = {
  ...node,
  format: 'esm',
  external: ['koffi'],
  alias: {
    // The kernels need only TensorFlow.js's core and gradients: no layers, converters, data or other backends.
    ...Object.fromEntries(
      ['layers', 'converter', 'data', 'backend-cpu', 'backend-webgl'].map((part) => [
        `@tensorflow/tfjs-${part}`,
        './scripts/nothing.cjs',
      ]),
    ),
    ...node.alias,
  },
  // CommonJS packages require Node's modules, but an ES module has no `require`.
  banner: {
    js: "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);",
  },
};
