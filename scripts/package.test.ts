import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, posix } from 'node:path';
import { unzipSync } from 'fflate';
import { afterAll, beforeAll, expect, it } from 'vitest';
import manifest from '../package.json' with { type: 'json' };

const folder = mkdtempSync(join(tmpdir(), 'um-package-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let zip: Buffer;
let files: Record<string, Uint8Array>;
const text = (name: string) => new TextDecoder().decode(files[name]);
const pack = (name: string, ...options: string[]) => {
  const args = ['scripts/package.mjs', '--no-build', '--out', join(folder, name), ...options];
  execFileSync(process.execPath, args, { stdio: 'pipe' });
  return readFileSync(join(folder, name));
};

beforeAll(() => {
  zip = pack('first.vsix');
  files = unzipSync(zip);
});

it('is small, and the same content gives the same file', () => {
  expect(zip.length).toBeLessThan(30 * 2 ** 20);
  expect(pack('second.vsix').equals(zip)).toBe(true);
});

it('holds bundles, webviews and the native prebuild, and nothing of development', () => {
  const names = Object.keys(files);
  expect(names).toEqual(
    expect.arrayContaining([
      'extension/package.json',
      'extension/LICENSE',
      'extension/dist/THIRD-PARTY-NOTICES.txt',
      'extension/dist/extension/main.cjs',
      'extension/dist/extension/whole.cjs',
      'extension/dist/extension/unimiss.schema.json',
      'extension/dist/daemon/main.js',
      'extension/dist/daemon/loader-worker.js',
      'extension/dist/daemon/measure-worker.js',
      'extension/dist/daemon/metrics-worker.js',
      'extension/dist/daemon/phantom-worker.js',
      'extension/dist/daemon/image-thread.js',
      'extension/dist/webviews/viewer.js',
      'extension/dist/webviews/viewer.css',
      'extension/dist/webviews/report.js',
      'extension/dist/webviews/report.css',
      'extension/dist/daemon/node_modules/@koromix/koffi-linux-x64/linux_x64/koffi.node',
      'extension/dist/webviews/metrics.js',
      'extension/dist/webviews/metrics.css',
      'extension/extension/media/unimiss.svg',
    ]),
  );
  const surplus = names.filter(
    (name) =>
      /\.(ts|map|tsbuildinfo|vsix)$|\/(test|scripts|src)\/|\/\.[^/]+$/.test(name) && !name.includes('/koffi/src/'),
  );
  expect(surplus).toEqual([]);
});

it('has every file that the manifest names', () => {
  const { main, icon, contributes } = manifest;
  const named = [
    main,
    icon,
    ...contributes.walkthroughs.flatMap(({ steps }) => steps.map(({ media }) => media.svg ?? media.markdown)),
    contributes.viewsContainers.activitybar[0]!.icon,
    contributes.views.unimiss[0]!.icon,
  ].map((file) => `extension/${file.replace(/^\.\//, '')}`);
  for (const name of named) expect(files[name], name).toBeDefined();
  // The extension itself serves this address, from a file of the package.
  const { scheme, file } = /^(?<scheme>[a-z-]+):\/\/extension\/(?<file>.+)$/.exec(contributes.jsonValidation[0]!.url)!
    .groups!;
  expect(manifest.activationEvents).toContain(`onFileSystem:${scheme}`);
  expect(files[`extension/dist/extension/${file}`]).toBeDefined();
});

it('has every file that its texts show or link to', () => {
  const texts = Object.keys(files).filter((name) => /^extension\/(docs\/)?[^/]+\.md$/.test(name));
  expect(texts).toContain('extension/README.md');
  const named = texts.flatMap((name) =>
    [...text(name).matchAll(/\]\(([^)\s]+)\)|(?:src|href)="([^"]+)"/g)]
      .map(([, inMarkdown, inHtml]) => (inMarkdown ?? inHtml)!.replace(/#.*$/, ''))
      .filter((target) => target !== '' && !/^[a-z]+:/.test(target))
      .map((target) => posix.join(dirname(name), target)),
  );
  expect(named).toContain('extension/docs/data.md');
  expect(named.filter((name) => !files[name])).toEqual([]);
});

it('shows a page for people without a clone, and an icon', () => {
  expect(text('extension/README.md')).toContain('Try with Made-up Images');
  expect(text('extension/README.md')).not.toContain('npm run');
  expect(text('extension.vsixmanifest')).toContain('<Icon>extension/extension/media/icon.png</Icon>');
});

it('names only its own commands in menus, walkthrough and welcome view', () => {
  const { commands, menus, viewsWelcome, walkthroughs } = manifest.contributes;
  const known = new Set(commands.map(({ command }) => command));
  const linked = [
    ...viewsWelcome.map(({ contents }) => contents),
    ...walkthroughs[0]!.steps.map((step) => step.description),
  ]
    .flatMap((contents) => [...contents.matchAll(/\(command:([^)]+)\)/g)].map(([, command]) => command!))
    .concat(Object.values(menus).flatMap((entries) => entries.map(({ command }) => command)));
  expect(linked.length).toBeGreaterThan(20);
  expect(linked.filter((command) => !known.has(command))).toEqual([]);
});

it('is for Linux x64, and says so', () => {
  expect(text('extension.vsixmanifest')).toContain('TargetPlatform="linux-x64"');
  expect(text('extension.vsixmanifest')).toContain(`Version="${manifest.version}"`);
});

it('has a twin for all systems, where no process can load the native module; it goes to other machines only', () => {
  const universal = unzipSync(pack('universal.vsix', '--universal'));
  expect(new TextDecoder().decode(universal['extension.vsixmanifest'])).not.toContain('TargetPlatform');
  const native = Object.keys(universal).filter((name) => /koffi/.test(name));
  expect(native.every((name) => name.startsWith('extension/dist/machines/node_modules/'))).toBe(true);
  const others = (all: Record<string, Uint8Array>) =>
    Object.keys(all)
      .filter((name) => !/koffi/.test(name))
      .sort();
  expect(others(universal)).toEqual(others(files));
  // What the client itself runs names no native module.
  for (const name of [
    'extension/main.cjs',
    'extension/whole.cjs',
    'extension/askpass.cjs',
    'daemon/image-thread.js',
    'daemon/itk-worker.js',
  ])
    expect(text(`extension/dist/${name}`), name).not.toMatch(/require\(["']koffi|from ?["']koffi/);
});

it('runs the daemon where no node_modules are', () => {
  for (const [name, content] of Object.entries(files)) {
    if (!name.startsWith('extension/dist/daemon/')) continue;
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  const program = join(folder, 'extension/dist/daemon/main.js');
  const run = (...args: string[]) =>
    execFileSync(process.execPath, [program, ...args], { cwd: folder, encoding: 'utf8' });
  expect(run('--version').trim()).toBe(manifest.version);
  // The program loads koffi and the kernels, so its output would name missing files.
  expect(run('engine', 'doctor')).toContain('TensorFlow');
});
