import type { PickleValue, Storage } from './values.ts';

/** Where the bytes of a storage lie in the file. */
export interface Place {
  readonly begin: number;
  readonly bytes: number;
  /** CRC-32 of the bytes, where the file has one. */
  readonly crc32?: number;
}

/** What a PyTorch file is, whatever its format: a value, and data for the storages that it names. */
export interface Archive {
  readonly value: PickleValue;
  /** @throws PthProblem where the file has no data for the storage, or too few */
  place(storage: Storage): Place;
  /** All data with a checksum. */
  readonly checked: readonly (Place & { readonly name: string })[];
}

/** Longest pickle that is read, bytes. That of a checkpoint with an optimiser has some hundred kB. */
export const longestPickle = 64 << 20;
