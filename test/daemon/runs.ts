import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { RunFolder } from '../../daemon/runs/folder/runFolder.ts';
import { resolveConfig } from '../../protocol/config/index.ts';
import { parseConfig } from '../../protocol/config/parseConfig.ts';
import type { RunRecord } from '../../protocol/records/records.ts';

/** Text of a configuration for the fake trainer: `steps` steps, ten an epoch. */
export function configText(name: string, steps: number, more: Record<string, unknown> = {}): string {
  return JSON.stringify({
    name,
    data: { paths: resolve('docs/images') }, // any image will do: the fake trainer looks at none
    model: { preset: 'nano' },
    train: { epochs: Math.ceil(steps / 10), stepsPerEpoch: Math.min(10, steps), warmupEpochs: 0 },
    ...more,
  });
}

/** A run for the fake trainer. */
export function makeRun(
  root: string,
  name: string,
  steps: number,
  more: Record<string, unknown> = {},
): Promise<RunFolder> {
  const text = configText(name, steps, more);
  return RunFolder.create(root, text, resolveConfig(parseConfig(text, name), { baseDir: '/' }));
}

/** Lets the fake trainer of a run named `waits` go on to its end. */
export function letGo(folder: string): void {
  writeFileSync(letGoFile(folder), '');
}

export const letGoFile = (folder: string): string => join(folder, 'go');

export async function recordsOf(run: Pick<RunFolder, 'recordsFile'>): Promise<RunRecord[]> {
  const lines = (await readFile(run.recordsFile, 'utf8')).split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as RunRecord);
}

/** The steps that were recorded, in their order. */
export async function stepsOf(run: Pick<RunFolder, 'recordsFile'>): Promise<number[]> {
  return (await recordsOf(run)).flatMap((record) => (record.kind === 'step' ? [record.step] : []));
}
