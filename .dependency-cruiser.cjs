/** The arrows between the parts of the project (ARCHITECTURE.md): each part may import only what lies below it. */
const daemonLayers = {
  files: [],
  engine: ['files'],
  model: ['engine', 'files'],
  data: ['files'],
  checkpoint: ['files'],
  evaluate: ['files', 'model', 'engine', 'data', 'checkpoint'],
  train: ['files', 'model', 'engine', 'data', 'checkpoint', 'evaluate'],
  runs: ['files', 'train', 'model', 'engine', 'data', 'checkpoint', 'evaluate'],
  server: ['files', 'runs', 'train', 'model', 'engine', 'data', 'checkpoint', 'evaluate'],
};
const tests = '\\.(test|long|fixtures)\\.ts$';
const layerRules = Object.entries(daemonLayers).map(([layer, below]) => ({
  name: `daemon-${layer}`,
  comment: `daemon/${layer} may import only: ${['protocol', ...below].join(', ')}`,
  severity: 'error',
  from: { path: `^daemon/${layer}/`, pathNot: tests },
  to: { path: '^(daemon|extension|webviews)/', pathNot: `^daemon/(${[layer, ...below].join('|')})/` },
}));

module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'protocol-imports-nobody',
      severity: 'error',
      from: { path: '^protocol/' },
      to: { path: '^(daemon|extension|webviews)/' },
    },
    {
      name: 'clients-never-import-daemon',
      severity: 'error',
      from: { path: '^(extension|webviews)/' },
      to: { path: '^daemon/' },
    },
    {
      name: 'webviews-are-browser-code',
      severity: 'error',
      from: { path: '^webviews/', pathNot: tests },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'model-knows-no-files',
      severity: 'error',
      from: { path: '^daemon/model/', pathNot: tests },
      to: { path: '^(node:)?(fs|net|child_process|worker_threads)|^koffi|node_modules/koffi' },
    },
    {
      name: 'only-engine-knows-the-c-api',
      severity: 'error',
      from: { path: '^(daemon|protocol|extension|webviews)/', pathNot: '^daemon/engine/' },
      to: { path: 'node_modules/koffi' },
    },
    ...layerRules,
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
  },
};
