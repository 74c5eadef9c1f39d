import { stat } from 'node:fs/promises';
import type { SharedConfig } from '../../../../protocol/config/shared.ts';
import type { RunVersions } from '../../../../protocol/records/records.ts';
import type { SafetensorsFile } from '../../../checkpoint/safetensorsReader.ts';
import type { NetworkPlan } from '../../folder/networkPlan.ts';

/** The weights of a network, open. */
export interface OpenWeights {
  /** Steps that they were trained for. */
  readonly step: number;
  readonly file: SafetensorsFile;
  /** First part of the tensors' names: `network.` in a checkpoint, nothing in an export. */
  readonly prefix: string;
}

/** Where a fine-tuned network comes from: a run, or a folder that `unimiss export` wrote. */
export interface NetworkSource {
  readonly folder: string;
  /** Its name, for people. */
  readonly id: string;
  readonly plan: NetworkPlan;
  readonly engine: SharedConfig['engine'];
  readonly versions: RunVersions | undefined;
  readonly notices: readonly string[];
  /** What changes where its weights change: their file, its size and time. */
  identity(which: 'best' | 'last'): Promise<string>;
  /** @throws UnimissError 'checkpoint' if it has none that can be used */
  openWeights(which: 'best' | 'last', notice: (message: string) => void): Promise<OpenWeights>;
}

/** A network, or several that are an ensemble. */
export type NetworkSources = readonly [NetworkSource, ...NetworkSource[]];

/** Tells files with weights apart; an absent one has an identity too: opening it says what is wrong. */
export async function fileIdentity(file: string): Promise<string> {
  const found = await stat(file).catch(() => undefined);
  return JSON.stringify([file, found?.ino, found?.size, found?.mtimeMs]);
}
