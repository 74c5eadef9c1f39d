import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { checkpointPin, checkpointsRemove } from '../../protocol/runs/checkpointMessages.ts';
import { runDetails, runExport, runReport } from '../../protocol/runs/detailsMessages.ts';
import { runViews } from '../../protocol/runs/viewsMessages.ts';
import { DaemonPlace } from '../daemon/harness.ts';
import { type EarlierRuns, unpackEarlierRuns } from '../fixtures/run-0.1.0/unpack.ts';

/** What a client learns of the files of a run, and what it can have written from them. */
const place = new DaemonPlace(resolve('dist/daemon/main.js'));
let runs: EarlierRuns;
beforeAll(() => {
  runs = unpackEarlierRuns(place.folder);
});
afterAll(() => place.close());

it('lists warnings, checkpoints and evaluations of a run', async () => {
  const folder = join(place.runsRoot, runs.stopped);
  const evaluations = join(folder, 'evaluations');
  for (const name of ['validation-7', 'interrupted-5']) mkdirSync(join(evaluations, name), { recursive: true });
  writeFileSync(join(evaluations, 'validation-7', 'report.html'), '<html>');
  const client = await place.client();
  const details = await client.call(runDetails, { run: runs.stopped });
  expect(details.config).toBe(join(folder, 'config.unimiss.jsonc'));
  expect(details.checkpoints).toMatchObject([
    { step: 7, file: join(folder, 'checkpoints/step-000000007.safetensors') },
  ]);
  expect(details.checkpoints[0]!.bytes).toBeGreaterThan(1000);
  expect(details.evaluations).toMatchObject([
    { name: 'validation-7', report: join(evaluations, 'validation-7', 'report.html') },
  ]);
  const recorded = readFileSync(join(folder, 'records.jsonl'), 'utf8');
  expect(details.warningCount).toBe(recorded.match(/"advice"/g)?.length ?? 0);
  expect(details.warnings).toHaveLength(Math.min(20, details.warningCount));
});

it('writes the report and the table of steps of a run', async () => {
  const client = await place.client();
  const out = (name: string) => join(place.folder, name);
  await client.call(runReport, { run: runs.finished, format: 'html', out: out('report.html') });
  expect(readFileSync(out('report.html'), 'utf8')).toContain('id="unimiss-metrics"');
  await client.call(runReport, { run: runs.finished, format: 'csv', out: out('steps.csv') });
  const [head, ...rows] = readFileSync(out('steps.csv'), 'utf8').trim().split('\n');
  expect(head).toMatch(/^step,/);
  expect(rows).toHaveLength(4);
  await expect(client.call(runReport, { run: runs.finished, format: 'csv', out: 'steps.csv' })).rejects.toMatchObject({
    code: 'run',
  });
});

it('writes the weights of a run into a new folder, and refuses one that holds something', async () => {
  const client = await place.client();
  const out = join(place.folder, 'weights');
  const { step, parameters } = await client.call(runExport, { run: runs.stopped, out });
  expect(step).toBe(7);
  expect(parameters).toBeGreaterThan(1000);
  expect(readdirSync(out).sort()).toEqual(['README.md', 'load.py', 'model.safetensors', 'plan.json']);
  await expect(client.call(runExport, { run: runs.stopped, out })).rejects.toMatchObject({ code: 'disk' });
});

it('pins, removes and exports single checkpoints of a run', async () => {
  const client = await place.client();
  const checkpoints = join(place.runsRoot, runs.stopped, 'checkpoints');
  copyFileSync(join(checkpoints, 'step-000000007.safetensors'), join(checkpoints, 'step-000000003.safetensors'));
  const told = async () => (await client.call(runDetails, { run: runs.stopped })).checkpoints;
  await client.call(checkpointPin, { run: runs.stopped, step: 3, pinned: true });
  expect(await told()).toMatchObject([
    { step: 7, pinned: false },
    { step: 3, pinned: true },
  ]);
  const remove = (steps?: number[]) =>
    client.call(checkpointsRemove, { run: runs.stopped, confirm: true, ...(steps && { steps }) });
  expect(await remove()).toEqual({ removed: [], bytes: 0 });
  await expect(remove([3])).rejects.toMatchObject({ code: 'checkpoint' });
  await expect(remove([7])).rejects.toMatchObject({ code: 'checkpoint' });
  await expect(remove([5])).rejects.toMatchObject({ code: 'checkpoint' });
  const out = join(place.folder, 'weights of a step');
  await client.call(runExport, { run: runs.stopped, out, checkpoint: 3 });
  expect(readdirSync(out)).toContain('model.safetensors');
  await client.call(checkpointPin, { run: runs.stopped, step: 3, pinned: false });
  expect((await remove([3])).removed).toEqual(['step-000000003.safetensors']);
  expect(await told()).toMatchObject([{ step: 7 }]);
});

it('makes both views of an image as a step of a run would, anew for each epoch', async () => {
  const client = await place.client();
  const views = (image: string, epoch: number) =>
    client.call(runViews, { run: runs.finished, image: join(place.folder, 'images', image), epoch });
  const [volume, again, later] = await Promise.all([0, 0, 1].map((epoch) => views('volumes/0001.nii.gz', epoch)));
  expect(volume?.phase).toBe('3D');
  expect(volume?.views).toHaveLength(2);
  for (const { width, height, slices, channels, data } of volume?.views ?? []) {
    expect(slices).toBe(16);
    expect(Buffer.from(data, 'base64')).toHaveLength(width * height * channels);
  }
  expect(again).toEqual(volume);
  expect(later?.views[0]?.data).not.toBe(volume?.views[0]?.data);
  expect(volume?.views[1]?.data).not.toBe(volume?.views[0]?.data);
  const picture = await views('images/0001.png', 0);
  expect(picture).toMatchObject({ phase: '2D', views: [{ slices: 1, channels: 3 }, {}] });
  await expect(views('manifest.csv', 0)).rejects.toMatchObject({ code: 'data' });
  await expect(client.call(runViews, { run: runs.finished, image: 'a.png' })).rejects.toMatchObject({ code: 'run' });
});
