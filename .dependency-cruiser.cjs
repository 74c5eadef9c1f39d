/** The arrows between the parts of the project (ARCHITECTURE.md): each part may import only what lies below it. */
const daemonLayers = {
  files: [],
  native: ['files'],
  engine: ['native', 'files'],
  model: ['engine', 'files'],
  data: ['files'],
  checkpoint: ['files'],
  evaluate: ['files', 'model', 'engine', 'data', 'checkpoint'],
  train: ['files', 'model', 'engine', 'data', 'checkpoint', 'evaluate'],
  infer: ['files', 'model', 'engine', 'data', 'checkpoint', 'evaluate', 'train'],
  runs: ['files', 'native', 'infer', 'train', 'model', 'engine', 'data', 'checkpoint', 'evaluate'],
  server: ['files', 'native', 'runs', 'infer', 'train', 'model', 'engine', 'data', 'checkpoint', 'evaluate'],
  client: ['files', 'native', 'server'],
};
/** The rooms of a part, and for each the rooms of the same part that it may import. */
const rooms = {
  'daemon/runs': {
    folder: [],
    records: ['folder'],
    checkpoint: ['folder', 'records'],
    start: ['folder', 'records', 'checkpoint'],
    forecast: ['folder', 'records', 'start'],
    export: ['folder', 'records', 'checkpoint', 'start'],
    supervise: ['folder', 'records'],
    jobs: ['folder', 'records', 'checkpoint', 'start', 'supervise'],
  },
  'daemon/server': {
    wire: [],
    feeds: ['wire'],
    handlers: ['feeds', 'wire'],
    language: ['wire'],
    life: ['handlers', 'language', 'feeds', 'wire'],
  },
  // Readers need nothing of the daemon: the viewer, which works without it, has them too (images/).
  'daemon/data': { formats: ['types.ts'] },
  'daemon/cli': {
    terminal: [],
    viaDaemon: ['terminal'],
    completion: [],
    commands: ['terminal', 'viaDaemon', 'completion'],
    demo: ['terminal', 'viaDaemon', 'commands'],
    compare: ['terminal', 'viaDaemon', 'commands'],
  },
};
const tests = '\\.(test|long|fixtures)\\.ts$';
const layerRules = Object.entries(daemonLayers).map(([layer, below]) => ({
  name: `daemon-${layer}`,
  comment: `daemon/${layer} may import only: ${['protocol', ...below].join(', ')}`,
  severity: 'error',
  from: { path: `^daemon/${layer}/`, pathNot: tests },
  to: { path: '^(daemon|extension|webviews)/', pathNot: `^daemon/(${[layer, ...below].join('|')})/` },
}));
const roomRules = Object.entries(rooms).flatMap(([part, allowed]) =>
  Object.entries(allowed).map(([room, others]) => ({
    name: `${part}/${room}`.replaceAll('/', '-'),
    comment: `${part}/${room} may import of ${part} only: ${[room, ...others].join(', ')}`,
    severity: 'error',
    from: { path: `^${part}/${room}/`, pathNot: tests },
    to: {
      path: `^${part}/`,
      pathNot: `^${part}/(${[room, ...others].map((one) => (one.endsWith('.ts') ? one : `${one}/`)).join('|')})`,
    },
  })),
);

module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      severity: 'error',
      comment: 'circles of types count too: what knows each other is one thing',
      from: {},
      to: { circular: true, viaOnly: { path: '^(protocol|daemon|extension|webviews|images)/' } },
    },
    {
      name: 'protocol-imports-nobody',
      severity: 'error',
      from: { path: '^protocol/' },
      to: { path: '^(daemon|extension|webviews|images|machines)/' },
    },
    {
      name: 'images-know-only-readers',
      comment: 'what cuts planes runs without daemon, engine and native modules; daemon/files only writes files whole',
      severity: 'error',
      from: { path: '^images/', pathNot: tests },
      to: { path: '^(daemon|extension|webviews)/', pathNot: '^daemon/(data/formats|files)/' },
    },
    {
      name: 'images-run-in-a-thread',
      comment: 'the extension talks to images/thread.ts by messages; nothing of it is in its own bundle',
      severity: 'error',
      from: { path: '^(extension|webviews)/', pathNot: tests },
      to: { path: '^images/', pathNot: '^images/messages\\.ts$' },
    },
    {
      name: 'machines-know-only-the-protocol',
      comment: 'what connects to other machines runs on every client, without engine and native modules',
      severity: 'error',
      from: { path: '^machines/', pathNot: tests },
      to: { path: '^(daemon|extension|webviews|images)/|node_modules/koffi' },
    },
    {
      name: 'clients-never-import-daemon',
      severity: 'error',
      from: { path: '^(extension|webviews)/', pathNot: tests },
      to: { path: '^daemon/' },
    },
    {
      name: 'activation-is-light',
      comment: 'every window pays for what main.ts loads: the rest is in extension/whole.ts, which the first use loads',
      severity: 'error',
      from: { path: '^extension/(main\\.ts|doors/|lastSeen\\.ts|viewTypes\\.ts)', pathNot: tests },
      to: {
        dependencyTypesNot: ['type-only', 'core'],
        path: '.',
        pathNot:
          '^vscode$|@types/vscode|^extension/(doors/|(lastSeen|notify|viewTypes|machines/machineScheme|configuration/(configFiles|resolvedScheme|schemaScheme))\\.ts$)',
      },
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
      name: 'only-native-and-engine-call-c',
      severity: 'error',
      from: { path: '^(daemon|protocol|extension|webviews|images)/', pathNot: '^daemon/(native|engine)/' },
      to: { path: 'node_modules/koffi' },
    },
    {
      name: 'only-the-engine-knows-tensorflow-js',
      comment: 'take Tensor, differentiable, keep and valueAndGrads from daemon/engine/ops',
      severity: 'error',
      from: { path: '^(daemon|protocol|extension|webviews|images)/', pathNot: ['^daemon/engine/', tests] },
      to: { path: '@tensorflow/' },
    },
    {
      name: 'only-ops-name-ops',
      comment: 'outside daemon/engine, models and training steps call the typed functions of daemon/engine/ops',
      severity: 'error',
      from: { path: '^daemon/', pathNot: ['^daemon/engine/(ops/|stateOps\\.ts$)', tests] },
      to: { path: '^daemon/engine/rawOp\\.ts$' },
    },
    {
      name: 'engine-has-two-doors',
      comment: 'from outside: engine/index.ts, engine/ops/index.ts, and the installation',
      severity: 'error',
      from: { path: '^daemon/', pathNot: ['^daemon/engine/', tests] },
      to: { path: '^daemon/engine/', pathNot: '^daemon/engine/(index\\.ts$|ops/index\\.ts$|install/)' },
    },
    ...layerRules,
    ...roomRules,
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
  },
};
