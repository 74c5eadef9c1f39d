import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, inflateRawSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OpenImage } from '../../../images/openImage.ts';
import { unsubscribe } from '../../../protocol/daemon/lifecycleMessages.ts';
import { imageAsk, imageOpen, imageReading } from '../../../protocol/files/imageMessages.ts';
import { filesList, filesOpen, filesRead, filesStat } from '../../../protocol/files/messages.ts';
import { makeRun } from '../../../test/daemon/runs.ts';
import { DaemonConnection } from '../../client/daemonConnection.ts';
import { niftiFixture } from '../../data/formats/nifti.fixture.ts';
import { reach } from '../../files/reach.ts';
import { tasks } from '../../runs/start/tasks.ts';
import { Daemon } from '../life/daemon.ts';
import { daemonPaths } from '../life/paths.ts';

let folder: string;
let daemon: Daemon;
let client: DaemonConnection;
let run: string;
const size = [6, 5, 4] as const;
const values = Array.from({ length: 120 }, (_, n) => n * 7);

beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'um-files-')));
  for (const name of ['data/imagesTr', 'data/labelsTr', 'secret']) mkdirSync(join(folder, name), { recursive: true });
  const sform = [
    [1, 0, 0, 0],
    [0, 1, 0, 0],
    [0, 0, 3, 0],
  ] as const;
  const image = niftiFixture({ size, type: 4, values, sform: sform.map((row) => [...row]) });
  writeFileSync(join(folder, 'data/imagesTr/a_0000.nii.gz'), gzipSync(image));
  const labels = niftiFixture({
    size,
    type: 2,
    values: values.map((_, n) => n % 3),
    sform: sform.map((row) => [...row]),
  });
  writeFileSync(join(folder, 'data/labelsTr/a.nii.gz'), gzipSync(labels));
  writeFileSync(join(folder, 'secret/key'), 'secret');
  const made = await makeRun(join(folder, 'runs'), 'far', 10, { data: { paths: join(folder, 'data') } });
  run = made.folder;
  symlinkSync(join(folder, 'secret'), join(run, 'out'));
  symlinkSync(join(folder, 'data'), join(run, 'images'));
  daemon = await Daemon.start({
    tasks,
    paths: daemonPaths({ UNIMISS_SOCKET: join(folder, 'd.sock') }),
    runsRoot: join(folder, 'runs'),
    trainer: { file: process.execPath, args: ['-e', ''] },
    job: { file: process.execPath, args: ['-e', ''] },
    log: () => {},
  });
  const socket = await reach(join(folder, 'd.sock'));
  if (!socket) throw new Error('the daemon does not listen');
  client = await DaemonConnection.open(socket);
});
afterAll(async () => {
  client?.close();
  daemon?.stop();
  await daemon?.ended;
  rmSync(folder, { recursive: true, force: true });
});

describe('files for clients on other machines', () => {
  it('are those of runs, and of the folders from which runs read images', async () => {
    const { entries } = await client.call(filesList, { path: run });
    expect(entries).toContainEqual({ name: 'config.resolved.json', kind: 'file' });
    expect(entries).toContainEqual({ name: 'images', kind: 'folder' });
    expect(entries.map(({ name }) => name)).not.toContain('out');
    const file = join(run, 'config.resolved.json');
    const { data, size: bytes } = await client.call(filesRead, { path: file });
    expect(JSON.parse(Buffer.from(data, 'base64').toString()).name).toBe('far');
    expect(await client.call(filesStat, { path: file })).toMatchObject({ kind: 'file', size: bytes });
    expect((await client.call(filesRead, { path: file, offset: bytes - 3 })).data).toHaveLength(4);
    expect((await client.call(filesRead, { path: file, offset: bytes + 9 })).data).toBe('');
    expect((await client.call(filesList, { path: join(folder, 'data/imagesTr') })).entries).toEqual([
      { name: 'a_0000.nii.gz', kind: 'file' },
    ]);
  });

  it('are no others, by whatever path', async () => {
    const others = [
      ...['/etc/passwd', '/', folder, join(folder, 'secret/key'), `${run}/../../secret/key`],
      ...[join(run, 'out/key'), join(run, 'out'), `${join(folder, 'data')}-2`],
    ];
    for (const path of others)
      for (const request of [filesStat, filesList, filesRead, imageOpen] as const)
        await expect(client.call(request, { path }), `${request.method} ${path}`).rejects.toMatchObject({
          code: 'data',
        });
    await expect(client.call(filesRead, { path: 'run.json' })).rejects.toThrow(/absolute/);
    await expect(client.call(filesRead, { path: run })).rejects.toThrow(/is not a file/);
  });

  it('are what the user opened by name, and what is below it', async () => {
    const path = join(folder, 'secret');
    expect(await client.call(filesOpen, { path: `${path}/.` })).toEqual({ path, kind: 'folder' });
    expect(Buffer.from((await client.call(filesRead, { path: join(path, 'key') })).data, 'base64').toString()).toBe(
      'secret',
    );
    await expect(client.call(filesOpen, { path: join(folder, 'none') })).rejects.toThrow(/none: is not there/);
  });
});

it('an image is cut where it lies: the same planes as here, its labels, its header, and news of reading', async () => {
  const path = join(folder, 'data/imagesTr/a_0000.nii.gz');
  const news: number[] = [];
  client.listen(imageReading, ({ reading }) => news.push(reading.share));
  const { image, subscription } = await client.call(imageOpen, { path });
  const ask = (asked: Parameters<typeof client.call<typeof imageAsk>>[1]['asked']) =>
    client.call(imageAsk, { image, asked });
  expect((await ask({ task: 'open', given: {} })).answer).toMatchObject({ name: 'a_0000.nii.gz', kind: 'volume' });
  const here = await OpenImage.open(path, 0, () => {});
  expect((await ask({ task: 'range', given: null })).answer).toEqual(await here.range());
  const { answer, bytes = '' } = await ask({ task: 'plane', given: { plane: 'coronal', index: 2 } });
  const { deflated: own, ...piece } = await here.plane({ plane: 'coronal', index: 2 });
  expect(answer).toEqual(piece);
  expect(inflateRawSync(Buffer.from(bytes, 'base64'))).toEqual(inflateRawSync(own));
  const found = (await ask({ task: 'findOverlays', given: null })).answer;
  expect(found).toEqual([join(folder, 'data/labelsTr/a.nii.gz')]);
  const [labels = ''] = found as string[];
  expect((await ask({ task: 'addLayer', given: { path: labels, added: false } })).answer).toMatchObject({
    ...{ layer: 1, content: { kind: 'labels' } },
  });
  await expect(ask({ task: 'addLayer', given: { path: '/etc/passwd', added: true } })).rejects.toThrow(/is not among/);
  await expect.poll(() => news.at(-1)).toBe(1);
  await client.call(unsubscribe, { subscription });
  await expect(ask({ task: 'range', given: null })).rejects.toThrow(/is not open any more/);
});
