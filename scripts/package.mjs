// `npm run package`: builds everything and packs the extension as two VSIX files, each a zip with two XML files about its content:
// unimiss-linux-x64-VERSION.vsix trains where it is installed; unimiss-universal-VERSION.vsix is for all other systems, shows
// images there and trains on other machines. Both hold the daemon for Linux, which the second only copies. Options: --no-build
// packs the existing build; --out FILE packs one of them, with --universal the second. `@vscode/vsce` does the same, but part of it
// has no free licence.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { zipSync } from 'fflate';
import picomatch from 'picomatch';
import { main, root, run, setup } from './setup.mjs';

const linux = 'linux-x64';
/** The files that koffi reads when it loads, without its sources and the binaries of other systems. */
const koffi = {
  'node_modules/koffi': ['package.json', 'LICENSE.txt', 'index.js', 'src/koffi/index.js', 'src/koffi/src/static.js'],
  'node_modules/@koromix/koffi-linux-x64': ['package.json', 'index.js', 'linux_x64/koffi.node'],
};
const contentTypes = {
  '.cjs': 'application/node',
  '.css': 'text/css',
  '.js': 'application/javascript',
  '.json': 'application/json',
  '.jsonc': 'application/json',
  '.jsonl': 'application/jsonl',
  '.md': 'text/markdown',
  '.node': 'application/octet-stream',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain',
  '.vsixmanifest': 'text/xml',
  '.zst': 'application/zstd',
};
/** Every file gets the same time, so that equal content makes equal VSIX files. */
const mtime = new Date('2000-01-01T00:00:00Z');

const xml = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

await main(async () => {
  await setup();
  const { values } = parseArgs({
    options: { out: { type: 'string' }, universal: { type: 'boolean' }, 'no-build': { type: 'boolean' } },
  });
  const built = values['no-build'] ? 0 : await run(process.execPath, ['scripts/build.mjs'], { cwd: root });
  if (built !== 0) return built;
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const targets = values.out || values.universal ? [values.universal ? undefined : linux] : [linux, undefined];
  for (const target of targets)
    pack(
      manifest,
      target,
      values.out ?? join(root, `${manifest.name}-${target ?? 'universal'}-${manifest.version}.vsix`),
    );
});

/** @param target undefined: for all systems */
function pack(manifest, target, out) {
  const files = Object.fromEntries(packed().map((file) => [`extension/${file}`, readFileSync(join(root, file))]));
  // The extension's page is for people who have no clone.
  files['extension/README.md'] = readFileSync(join(root, 'extension', 'README.md'));
  // Beside the daemon that loads it; or where none does, for other machines (machines/payload.ts).
  const place = target === undefined ? 'dist/machines' : 'dist/daemon';
  for (const [folder, names] of Object.entries(koffi))
    for (const name of names) files[`extension/${place}/${folder}/${name}`] = readFileSync(join(root, folder, name));
  const pipelines = [
    'nrrd-read-image',
    'meta-read-image',
    'read-image-dicom-file-series',
    'read-overlapping-segmentation',
    'write-segmentation',
  ].map((name) => `dist/daemon/pipelines/${name}.wasm.zst`);
  const needed = [
    ...pipelines,
    manifest.main,
    'dist/daemon/main.js',
    'dist/daemon/itk-worker.js',
    'dist/webviews/metrics.js',
    'dist/webviews/metrics.css',
  ];
  for (const file of needed)
    if (!files[`extension/${file.replace(/^\.\//, '')}`])
      throw new Error(`${file} is not among the packed files: see .vscodeignore.`);
  files['extension.vsixmanifest'] = Buffer.from(about(manifest, target, files));
  files['[Content_Types].xml'] = Buffer.from(types(Object.keys(files)));

  const zip = zipSync(files, { level: 9, mtime });
  writeFileSync(out, zip);
  console.log(`${out}: ${Object.keys(files).length} files, ${(zip.length / 2 ** 20).toFixed(1)} MiB`);
}

/** The files that .vscodeignore does not exclude, sorted. Its last matching line decides; `!` includes a file again. */
function packed() {
  const rules = readFileSync(join(root, '.vscodeignore'), 'utf8')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => ({ keeps: line.startsWith('!'), matches: picomatch(line.replace(/^!/, ''), { dot: true }) }));
  const kept = (file) => rules.findLast((rule) => rule.matches(file))?.keeps ?? true;
  return walk('').filter(kept).sort();
}

function walk(folder) {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) return ['node_modules', '.git'].includes(entry.name) ? [] : walk(path);
    return entry.isFile() ? [path] : [];
  });
}

function about(manifest, target, files) {
  const { name, displayName, version, publisher, description, categories, keywords, engines, icon } = manifest;
  const assets = [
    ['Microsoft.VisualStudio.Code.Manifest', 'package.json'],
    ['Microsoft.VisualStudio.Services.Content.Details', 'README.md'],
    ['Microsoft.VisualStudio.Services.Content.Changelog', 'CHANGELOG.md'],
    ['Microsoft.VisualStudio.Services.Content.License', 'LICENSE'],
    ['Microsoft.VisualStudio.Services.Icons.Default', icon],
  ].filter(([, file]) => files[`extension/${file}`]);
  return `<?xml version="1.0" encoding="utf-8"?>
<PackageManifest Version="2.0.0" xmlns="http://schemas.microsoft.com/developer/vsx-schema/2011">
  <Metadata>
    <Identity Language="en-US" Id="${name}" Version="${version}" Publisher="${publisher}"${target ? ` TargetPlatform="${target}"` : ''}/>
    <DisplayName>${xml(displayName)}</DisplayName>
    <Description xml:space="preserve">${xml(description)}</Description>
    <Tags>${xml((keywords ?? []).join(','))}</Tags>
    <Categories>${xml((categories ?? []).join(','))}</Categories>
    <Properties>
      <Property Id="Microsoft.VisualStudio.Code.Engine" Value="${xml(engines.vscode)}"/>
      <Property Id="Microsoft.VisualStudio.Code.ExtensionKind" Value="workspace"/>
    </Properties>${files[`extension/${icon}`] ? `\n    <Icon>extension/${icon}</Icon>` : ''}
  </Metadata>
  <Installation><InstallationTarget Id="Microsoft.VisualStudio.Code"/></Installation>
  <Dependencies/>
  <Assets>
${assets.map(([type, file]) => `    <Asset Type="${type}" Path="extension/${file}" Addressable="true"/>`).join('\n')}
  </Assets>
</PackageManifest>
`;
}

function types(files) {
  const extensions = [...new Set(files.map((file) => extname(file)))].filter((extension) => extension !== '').sort();
  const lines = extensions.map((extension) => {
    if (!contentTypes[extension]) throw new Error(`scripts/package.mjs has no content type for ${extension}`);
    return `  <Default Extension="${extension}" ContentType="${contentTypes[extension]}"/>`;
  });
  const nameless = files.filter((file) => extname(file) === '');
  for (const file of nameless) lines.push(`  <Override PartName="/${file}" ContentType="text/plain"/>`);
  return `<?xml version="1.0" encoding="utf-8"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
${lines.join('\n')}
</Types>
`;
}
