import { appendFileSync, linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encode } from 'fast-png';
import { expect, it } from 'vitest';
import type { DaemonConnection } from '../../daemon/client/daemonConnection.ts';
import { daemonStatus, ping } from '../../protocol/daemon/lifecycleMessages.ts';
import {
  metricsRead,
  metricsSubscribe,
  metricsUpdate,
  type Position,
  previewsList,
  previewsRead,
} from '../../protocol/metrics/messages.ts';
import type { MetricsMessage } from '../../protocol/metrics/page.ts';
import type { Modality } from '../../protocol/modality.ts';
import type { RunRecord } from '../../protocol/records/records.ts';
import { runDelete } from '../../protocol/runs/messages.ts';
import { createRun, type DaemonPlace, placeForEachTest } from '../daemon/harness.ts';
import { keptWaiting } from '../ownTime.ts';

let place: DaemonPlace;
placeForEachTest((fresh) => {
  place = fresh;
});

/** Records as another process would write them. */
const stepRecord = (step: number, phase: Modality = '2D'): RunRecord => ({
  ...{ kind: 'step', step, epoch: Math.floor(step / 10), group: phase, loss: 1 + step },
  values: {
    ...(phase === '3D' && { 'term/volume-volume': 1, 'term/slices-volume': 2, 'term/slices-slices': 3 }),
    ...{ learningRate: 1e-4, weightDecay: 0.04, momentum: 0.996, gradientNorm: 1, imagesPerSecond: 10 },
  },
  ...{ stepMs: 5, waitMs: 0, rssMiB: 100, time: '2026-01-01T00:00:00.000Z' },
});
const write = (folder: string, from: number, to: number) =>
  appendFileSync(
    join(folder, 'records.jsonl'),
    Array.from({ length: to - from }, (_, i) => `${JSON.stringify(stepRecord(from + i))}\n`).join(''),
  );

/** The messages of a subscription, and how to wait for them. */
class Updates {
  readonly messages: MetricsMessage[] = [];
  positions: Record<string, Position> = {};
  /** The runs of which each message told the position. */
  readonly told: string[][] = [];
  private wake = () => {};

  constructor(client: DaemonConnection) {
    client.listen(metricsUpdate, ({ message, positions }) => {
      this.messages.push(message);
      Object.assign(this.positions, positions);
      this.told.push(Object.keys(positions));
      this.wake();
    });
  }

  async until(test: () => boolean): Promise<void> {
    while (!test()) await new Promise<void>((resolve) => (this.wake = resolve));
  }

  get sequence(): number {
    return this.messages.at(-1)?.sequence ?? 0;
  }

  /** The steps that a client then holds: snapshots replace, appends add. */
  get steps(): number[] {
    let steps: number[] = [];
    for (const message of this.messages) {
      if (message.type === 'snapshot') steps = Array.from(message.runs[0]!.steps.columns.step ?? [], Number);
      else if (message.type === 'append') steps.push(...Array.from(message.steps?.columns.step ?? [], Number));
    }
    return steps;
  }
}

const upTo = (n: number) => Array.from({ length: n }, (_, i) => i);

it('a snapshot, then additions; after a lost connection only what was missed, even from a new daemon', async () => {
  const client = await place.client();
  const { id, folder } = await createRun(client, 'a', 10, false);
  write(folder, 0, 50);
  const updates = new Updates(client);
  await client.call(metricsSubscribe, { runs: [id] });
  await updates.until(() => updates.steps.length === 50);
  write(folder, 50, 60);
  await updates.until(() => updates.steps.length === 60);
  expect(updates.messages.map((m) => [m.type, m.sequence])).toEqual([
    ['snapshot', 1],
    ['append', 2],
  ]);
  expect(updates.steps).toEqual(upTo(60));

  client.close();
  await client.closed;
  await place.finished('daemon', 'stop');
  write(folder, 60, 75);
  const again = await place.client();
  const missed = new Updates(again);
  await again.call(metricsSubscribe, {
    runs: [id],
    after: { sequence: updates.sequence, positions: updates.positions },
  });
  await missed.until(() => missed.steps.length === 15);
  expect(missed.messages).toMatchObject([{ type: 'append', sequence: 3 }]);
  expect([...updates.steps, ...missed.steps]).toEqual(upTo(75));
});

it('a new snapshot where records were taken back, and where too much was missed', async () => {
  const client = await place.client();
  const { id, folder } = await createRun(client, 'a', 10, false);
  const file = join(folder, 'records.jsonl');
  write(folder, 0, 30);
  const updates = new Updates(client);
  await client.call(metricsSubscribe, { runs: [id], most: 50 });
  await updates.until(() => updates.steps.length === 30);
  // As resuming from a checkpoint after step 20 does.
  writeFileSync(`${file}.new`, `${readFileSync(file, 'utf8').split('\n').slice(0, 20).join('\n')}\n`);
  renameSync(`${file}.new`, file);
  write(folder, 20, 25);
  await updates.until(() => updates.steps.length === 25);
  expect(updates.messages.at(-1)!.type).toBe('snapshot');
  write(folder, 25, 25 + 60);
  await updates.until(() => updates.messages.length === 3);
  const last = updates.messages.at(-1)!;
  expect(last).toMatchObject({ type: 'snapshot', sequence: 3 });
  // Down-sampled: two steps a row, of which mean, least and largest are known.
  const [run] = last.type === 'snapshot' ? last.runs : [];
  expect(run!.steps.columns.step).toHaveLength(43);
  expect([run!.steps.columns.loss![0], run!.steps.low!.loss![0], run!.steps.high!.loss![0]]).toEqual([1.5, 1, 2]);
});

it('a deleted run is removed', async () => {
  const client = await place.client();
  const [a, b] = [await createRun(client, 'a', 10, false), await createRun(client, 'b', 10, false)];
  const updates = new Updates(client);
  await client.call(metricsSubscribe, { runs: [a.id, b.id] });
  await updates.until(() => updates.messages.length === 1);
  await client.call(runDelete, { run: a.id, confirm: true });
  await updates.until(() => updates.messages.length === 2);
  expect(updates.messages[1]).toEqual({ type: 'remove', sequence: 2, run: a.id });
});

it('a range of steps at a resolution', async () => {
  const client = await place.client();
  const { id, folder } = await createRun(client, 'a', 10, false);
  write(folder, 0, 5000);
  const read = async (fromStep: number, toStep?: number) => {
    const { message } = await client.call(metricsRead, {
      run: id,
      fromStep,
      ...(toStep !== undefined && { toStep }),
      most: 100,
    });
    return message.type === 'snapshot' ? message.runs[0]!.steps : undefined;
  };
  expect((await read(0))!.columns.step).toHaveLength(100);
  expect((await read(4000, 4009))!.columns.step).toEqual(upTo(10).map((i) => 4000 + i));
  expect((await read(4000, 4009))!.low).toBeUndefined();
});

it('the daemon answers a ping in under 100 ms while it reads a run of 100,000 steps', async () => {
  const [asking, client] = [await place.client(), await place.client()];
  const updates = new Updates(client);
  const lines = join(place.folder, 'lines.jsonl');
  writeFileSync(
    lines,
    upTo(100_000)
      .map((step) => `${JSON.stringify(stepRecord(step))}\n`)
      .join(''),
  );
  const longest: number[] = [];
  const pings: number[] = [];
  const { pid } = await asking.call(daemonStatus, {});
  // Three, each of which reads a run that was not read before; the collector of garbage may hold one up.
  for (const name of ['a', 'b', 'c']) {
    const { id, folder } = await createRun(client, name, 10, false);
    const file = join(folder, 'records.jsonl');
    rmSync(file, { force: true });
    linkSync(lines, file);
    const { length } = updates.messages;
    const times: number[] = [];
    const subscribed = client.call(metricsSubscribe, { runs: [id] });
    while (updates.messages.length === length) {
      const [began, waited] = [performance.now(), keptWaiting(pid, process.pid)];
      await asking.call(ping, {});
      times.push(performance.now() - began - (keptWaiting(pid, process.pid) - waited));
    }
    await subscribed;
    expect(updates.steps.length).toBeGreaterThan(1000);
    longest.push(Math.max(...times));
    pings.push(times.length);
  }
  console.log(
    `pings while a run is read: ${pings.join(', ')}; longest ${longest.map((ms) => ms.toFixed(0)).join(', ')} ms`,
  );
  expect(Math.min(...longest)).toBeLessThan(100);
  // Were all read at once, the second ping would be answered after it.
  expect(Math.max(...pings)).toBeGreaterThan(5);
});

it('previews, by name and within limits', async () => {
  const client = await place.client();
  const { id, folder } = await createRun(client, 'a', 10, false);
  const png = encode({ width: 2, height: 2, channels: 1, data: new Uint8Array([0, 80, 160, 255]) });
  writeFileSync(join(folder, 'previews', 'one.png'), png);
  writeFileSync(join(folder, 'previews', 'huge.png'), Buffer.alloc(9 << 20));
  const event = {
    kind: 'event',
    event: 'preview',
    message: 'views',
    step: 0,
    epoch: 0,
    time: '2026-01-01T00:00:00.000Z',
  };
  const details = { phase: '2D', images: [['one.png', 'gone.png']] };
  appendFileSync(join(folder, 'records.jsonl'), `${JSON.stringify({ ...event, details })}\n`);
  expect(await client.call(previewsList, { run: id })).toEqual({
    previews: [{ step: 0, epoch: 0, phase: '2D', images: [['one.png', 'gone.png']] }],
  });
  const uri = `data:image/png;base64,${Buffer.from(png).toString('base64')}`;
  const { images } = await client.call(previewsRead, { run: id, names: ['one.png', 'gone.png', 'huge.png'] });
  expect(images.map((image) => image.data)).toEqual([uri, null, null]);
  await expect(client.call(previewsRead, { run: id, names: ['../run.json'] })).rejects.toThrow(/not a name within/);
  const updates = new Updates(client);
  await client.call(metricsSubscribe, { runs: [id] });
  await updates.until(() => updates.messages.length === 2);
  // After the curves; who has not got them has no position yet, and gets a new snapshot.
  expect(updates.messages[0]).toMatchObject({ type: 'snapshot', runs: [{ previews: [] }] });
  expect(updates.messages[1]).toMatchObject({
    type: 'append',
    previews: [{ phase: '2D', images: [{ views: [uri] }] }],
  });
  expect(updates.told).toEqual([[], [id]]);
});
