import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { DaemonConnection } from '../../daemon/client/daemonConnection.ts';
import type { RunInfo } from '../../protocol/runs/runInfo.ts';
import { alive, type DaemonPlace, RunWatcher, trained, trainerPid } from '../daemon/harness.ts';
import { recordsOf, stepsOf } from '../daemon/runs.ts';

/** SIGKILLs the daemon of a client, and proves that this ended it. */
export async function killDaemon(client: DaemonConnection): Promise<void> {
  const { pid } = client.daemon.unimiss;
  expect(alive(pid), 'the daemon lives until it is killed').toBe(true);
  process.kill(pid, 'SIGKILL');
  await client.closed;
  await expect.poll(() => alive(pid), { timeout: 30_000 }).toBe(false);
}

/**
 * Starts a run, and kills its daemon again and again in the midst of its steps; each next daemon adopts the trainer.
 * @returns the folder of the run, which goes on
 */
export async function killDaemons(
  place: DaemonPlace,
  kills: number,
  start: (client: DaemonConnection) => Promise<RunInfo>,
): Promise<string> {
  let folder: string | undefined;
  let trainer: number | undefined;
  const daemons = new Set<number>();
  for (let n = 0; n < kills; n++) {
    const client = await place.client();
    const watcher = await RunWatcher.on(client);
    folder ??= (await start(client)).folder;
    const before = (await watcher.until(folder, trained(1)))!.progress!.step;
    const info = await watcher.until(folder, trained(before + 2));
    expect(info, 'the daemon has the run').toMatchObject({ owner: 'daemon', activity: 'training' });
    trainer ??= trainerPid(folder);
    expect(trainerPid(folder), 'the trainer is the same').toBe(trainer);
    daemons.add(client.daemon.unimiss.pid);
    await killDaemon(client);
    expect(alive(trainer), 'the trainer lives').toBe(true);
  }
  expect(daemons.size, 'each kill ended another daemon').toBe(kills);
  return folder!;
}

/** Compares a run whose daemons were killed with an undisturbed one: no step is missing or was done twice, and they end the same. */
export async function expectUndisturbed(folder: string, whole: string): Promise<void> {
  const recordsFile = join(folder, 'records.jsonl');
  const steps = await stepsOf({ recordsFile });
  expect(steps).toEqual(Array.from(steps, (_, i) => i));
  expect(steps).toEqual(await stepsOf({ recordsFile: join(whole, 'records.jsonl') }));
  const kinds = (await recordsOf({ recordsFile })).flatMap((r) => (r.kind === 'event' ? [r.event] : []));
  expect(kinds.filter((event) => ['start', 'resume', 'stop', 'warning', 'error', 'finish'].includes(event))).toEqual([
    'start',
    'finish',
  ]);
  const [ours, theirs] = [lastCheckpoint(folder), lastCheckpoint(whole)];
  expect(ours.name).toBe(theirs.name);
  expect(ours.bytes.equals(theirs.bytes), 'the last checkpoints are the same to the byte').toBe(true);
}

/** Name and bytes of the newest checkpoint of a run. */
function lastCheckpoint(run: string): { name: string; bytes: Buffer } {
  const folder = join(run, 'checkpoints');
  const name = readdirSync(folder)
    .filter((file) => /^(fake\.json|step-.*\.safetensors)$/.test(file))
    .sort()
    .at(-1)!;
  return { name, bytes: readFileSync(join(folder, name)) };
}
