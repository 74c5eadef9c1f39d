import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Random } from '../../daemon/data/random.ts';
import { daemonStatus } from '../../protocol/daemon/lifecycleMessages.ts';
import { metricsSubscribe, metricsUpdate, type Position } from '../../protocol/metrics/messages.ts';
import { runStart } from '../../protocol/runs/messages.ts';
import { alive, createRun, type DaemonPlace, placeForEachTest, RunWatcher, trained } from '../daemon/harness.ts';
import { stepsOf } from '../daemon/runs.ts';

let place: DaemonPlace;
placeForEachTest((fresh) => {
  place = fresh;
});

it('50 kills of trainer, daemon and client at random moments lose no run and no record, and leave no process and no socket', async () => {
  const random = new Random('kills', 1);
  const steps = 1_000_000; // only kills end a trainer
  const pids = new Set<number>();
  const first = await createRun(await place.client(), 'a', steps, false);
  const recordsFile = join(first.folder, 'records.jsonl');
  const checkpoint = () => {
    try {
      return (JSON.parse(readFileSync(join(first.folder, 'checkpoints', 'fake.json'), 'utf8')) as { step: number })
        .step;
    } catch {
      return 0; // before the first
    }
  };
  const kills = { trainer: 0, daemon: 0, client: 0 };
  let saved = 0;
  for (let n = 0; n < 50; n++) {
    const client = await place.client();
    const watcher = await RunWatcher.on(client);
    const { pid } = await client.call(daemonStatus, {});
    pids.add(pid);
    // Its trainer may be the one of the daemon before, which this one adopts when that has the lock.
    const found = await watcher.until(first.folder, (info) => info?.owner !== 'other');
    expect(found, 'the run is there').toBeDefined();
    expect(found!.state, 'the run is not damaged').not.toBe('failed');
    if (found!.activity === null) await client.call(runStart, { run: first.id });
    const goal = checkpoint() + random.int(12);
    await watcher.until(first.folder, trained(goal + 1));
    const trainer = JSON.parse(readFileSync(join(first.folder, 'lock'), 'utf8')).pid as number;
    pids.add(trainer);
    saved = checkpoint();
    const who = (['trainer', 'daemon', 'client'] as const)[random.int(3)]!;
    kills[who]++;
    if (who === 'trainer') {
      process.kill(trainer, 'SIGKILL');
      const killed = await watcher.until(first.folder, (info) => info?.activity === null);
      expect(killed).toMatchObject({ state: 'interrupted', ending: { how: 'died' } });
    } else if (who === 'daemon') {
      process.kill(pid, 'SIGKILL');
      await client.closed;
      await expect.poll(() => alive(pid)).toBe(false);
      expect(alive(trainer), 'the trainer goes on').toBe(true);
    } else {
      const other = place.run('logs', first.id, '-f');
      await other.says(/\n/);
      const gone = once(other, 'exit');
      other.kill('SIGKILL');
      expect(await gone).toEqual([null, 'SIGKILL']);
    }
    client.close();
    const recorded = await stepsOf({ recordsFile });
    expect(recorded.slice(0, saved), 'all steps before the checkpoint').toEqual(
      Array.from({ length: saved }, (_, i) => i),
    );
    expect(checkpoint()).toBeGreaterThanOrEqual(saved);
  }
  expect(Math.min(...Object.values(kills))).toBeGreaterThan(5);
  await place.client();
  await place.finished('daemon', 'stop', '--stop-runs');
  for (const pid of pids) await expect.poll(() => alive(pid), { timeout: 30_000 }).toBe(false);
  expect(readdirSync(place.folder)).not.toContain('d.sock');
  const recorded = await stepsOf({ recordsFile });
  expect(recorded).toEqual(Array.from(recorded, (_, i) => i));
  console.info(`kills ${JSON.stringify(kills)}; ${recorded.length} steps`);
});

it('1,000 reconnections see every step once, and cost the daemon no memory', async () => {
  const steady = await place.client();
  const { id } = await createRun(steady, 'a', 100_000);
  const seen: number[] = [];
  let after: { sequence: number; positions: Record<string, Position> } | undefined;
  let early = 0;
  for (let n = 0; n < 1000; n++) {
    const client = await place.client();
    await new Promise<void>((resolve, reject) => {
      client.listen(metricsUpdate, ({ message, positions }) => {
        const steps =
          message.type === 'snapshot' ? message.runs[0]!.steps : message.type === 'append' ? message.steps : undefined;
        if (message.type === 'snapshot') seen.length = 0;
        seen.push(...Array.from(steps?.columns.step ?? [], Number));
        after = { sequence: message.sequence, positions: { ...after?.positions, ...positions } };
        resolve();
      });
      client.call(metricsSubscribe, { runs: [id], most: 20_000, ...(after && { after }) }).catch(reject);
    });
    client.close();
    await client.closed;
    if (n === 200) early = (await steady.call(daemonStatus, {})).rssMiB;
  }
  expect(seen).toEqual(Array.from(seen, (_, i) => i));
  await expect.poll(async () => (await steady.call(daemonStatus, {})).clients).toBe(1);
  const late = (await steady.call(daemonStatus, {})).rssMiB;
  console.info(
    `${seen.length} steps seen; daemon ${early.toFixed(0)} MiB after 200, ${late.toFixed(0)} MiB after 1,000`,
  );
  expect(late - early).toBeLessThan(60);
});
