// Bundles the extension, the daemon and the webviews into dist/. Options: --watch.
//
// Everything is in the bundles but koffi (native, loaded from node_modules), ITK's pipelines (copied) and `vscode` (which the editor provides), so
// that dist/ runs where no node_modules are.
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { build, context } from 'esbuild';
import { common, daemonBundle, extensionBundle } from './bundles.mjs';
import { editorSchema } from './editorSchema.mjs';
import { notices } from './notices.mjs';

const targets = [
  {
    ...daemonBundle,
    entryPoints: {
      main: 'daemon/main.ts',
      'loader-worker': 'daemon/data/loader/loaderWorker.ts',
      'itk-worker': 'daemon/data/formats/itk/itkWorker.ts',
      'measure-worker': 'daemon/data/datasets/labelled/measure/measureWorker.ts',
      'metrics-worker': 'daemon/evaluate/metrics/metricsWorker.ts',
      'phantom-worker': 'daemon/data/phantoms/phantomWorker.ts',
      // Of the extension, but beside ITK's thread, which it starts.
      'image-thread': 'images/thread.ts',
    },
    outdir: 'dist/daemon',
  },
  {
    ...extensionBundle,
    entryPoints: { main: 'extension/main.ts', whole: 'extension/whole.ts', askpass: 'extension/machines/askpass.ts' },
    outdir: 'dist/extension',
  },
  {
    ...common,
    entryPoints: {
      metrics: 'webviews/metrics/main.ts',
      report: 'webviews/report/main.ts',
      viewer: 'webviews/viewer/main.ts',
      volume: 'webviews/volume/main.ts',
    },
    outdir: 'dist/webviews',
    platform: 'browser',
    target: 'es2022',
    format: 'iife',
    minify: true,
    sourcemap: false,
  },
];
/** ITK's pipelines that the daemon runs (daemon/data/formats/itk), each a WebAssembly and what loads it: 2 of 50, and 3 of 13. */
const pipelines = {
  'image-io': ['nrrd-read-image', 'meta-read-image'],
  dicom: ['read-image-dicom-file-series', 'read-overlapping-segmentation', 'write-segmentation'],
};
mkdirSync('dist/daemon/pipelines', { recursive: true });
for (const [name, names] of Object.entries(pipelines))
  for (const file of names.flatMap((pipeline) => [`${pipeline}.js`, `${pipeline}.wasm.zst`]))
    copyFileSync(`node_modules/@itk-wasm/${name}/dist/pipelines/${file}`, `dist/daemon/pipelines/${file}`);

mkdirSync('dist/extension', { recursive: true });
for (const name of ['unimiss', 'experiment']) {
  const schema = JSON.parse(readFileSync(`schema/${name}.schema.json`, 'utf8'));
  writeFileSync(`dist/extension/${name}.schema.json`, JSON.stringify(editorSchema(schema)));
}

if (process.argv.includes('--watch')) for (const t of targets) await (await context(t)).watch();
else {
  for (const t of targets)
    for (const [name, file] of Object.entries(t.entryPoints)) if (!existsSync(file)) delete t.entryPoints[name];
  const builds = await Promise.all(
    targets.filter((t) => Object.keys(t.entryPoints).length > 0).map((t) => build({ ...t, metafile: true })),
  );
  const metafiles = builds.map(({ metafile }) => metafile);
  writeFileSync(
    'dist/THIRD-PARTY-NOTICES.txt',
    notices(metafiles, ['node_modules/koffi', 'node_modules/@itk-wasm/image-io', 'node_modules/@itk-wasm/dicom']),
  );
}
