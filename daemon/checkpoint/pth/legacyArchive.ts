import type { FileHandle } from 'node:fs/promises';
import { readExactly } from '../../files/fully.ts';
import { dtypeBytes } from '../safetensorsHeader.ts';
import { type Archive, longestPickle, type Place } from './archive.ts';
import { PthProblem, quoted } from './problem.ts';
import { unpickle } from './unpickle.ts';
import { Namespace, type PickleValue, Storage, StoredTensor, Tuple } from './values.ts';

const magic = 119547037146038801333356n;
const version = 1001;

/** Whether a file begins as PyTorch's before 1.6 do: with the pickle of a number. @param start its first bytes */
export function isLegacy(start: Buffer): boolean {
  return start.subarray(0, 2).equals(Buffer.from([0x80, 2])) || start.subarray(0, 2).equals(Buffer.from([0x80, 4]));
}

/**
 * The format before PyTorch 1.6: pickles of a magic number, a version, sizes of C's types, the value and a list of keys of storages;
 * then for each key the number of elements (8 bytes) and the elements.
 */
export async function openLegacyArchive(handle: FileHandle): Promise<Archive> {
  const { size } = await handle.stat();
  const bytes = await readExactly(handle, 0, Math.min(size, longestPickle));
  let at = 0;
  const next = (): PickleValue => {
    const { value, end } = unpickle(bytes, at);
    at = end;
    return value;
  };
  if (next() !== magic) throw new PthProblem("it does not begin with PyTorch's magic number");
  if (next() !== version) throw new PthProblem(`it has another version of the format than ${version}`);
  const system = next();
  if (system instanceof Map && system.get('little_endian') === false)
    throw new PthProblem('it was written on a big-endian machine');
  const value = next();
  const keys = next();
  if (!Array.isArray(keys)) throw new PthProblem('it has no list of storages');
  const storages = storagesIn(value);
  const places = new Map<string, Place>();
  for (const key of keys) {
    const storage = typeof key === 'string' ? storages.get(key) : undefined;
    if (!storage) throw new PthProblem('its list of storages names one that no tensor uses');
    if (places.has(storage.key)) throw new PthProblem(`storage ${quoted(storage.key)} appears twice`);
    if (at + 8 > size) throw new PthProblem(`it ends before storage ${quoted(storage.key)}`);
    const length = (await readExactly(handle, at, 8)).readBigInt64LE();
    if (length !== BigInt(storage.length))
      throw new PthProblem(
        `storage ${quoted(storage.key)} has ${length} elements, but its tensors say ${storage.length}`,
      );
    const place = { begin: at + 8, bytes: storage.length * (storage.dtype === null ? 1 : dtypeBytes[storage.dtype]) };
    at = place.begin + place.bytes;
    if (at > size) throw new PthProblem(`it ends within storage ${quoted(storage.key)}`);
    places.set(storage.key, place);
  }
  return {
    value,
    place({ key }) {
      const place = places.get(key);
      if (place) return place;
      throw new PthProblem(`it has no data for storage ${quoted(key)}`);
    },
    checked: [],
  };
}

/** The storages that tensors in a value use, by key. Each value is visited once, however often the file uses it. */
function storagesIn(value: PickleValue): Map<string, Storage> {
  const storages = new Map<string, Storage>();
  const seen = new Set<object>();
  const waiting: PickleValue[] = [value];
  for (let found = waiting.pop(); found !== undefined; found = waiting.pop()) {
    if (typeof found !== 'object' || found === null || seen.has(found)) continue;
    seen.add(found);
    if (found instanceof StoredTensor) waiting.push(found.storage);
    else if (found instanceof Storage) {
      const before = storages.get(found.key);
      if (before && (before.dtype !== found.dtype || before.length !== found.length))
        throw new PthProblem(`storage ${quoted(found.key)} is used with two types or lengths`);
      storages.set(found.key, found);
    } else if (found instanceof Tuple) for (const item of found.items) waiting.push(item);
    else if (Array.isArray(found)) for (const item of found) waiting.push(item);
    else if (found instanceof Namespace) for (const item of found.fields?.values() ?? []) waiting.push(item);
    else if (found instanceof Map) for (const item of found.values()) waiting.push(item);
  }
  return storages;
}
