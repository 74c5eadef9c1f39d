import type { FileHandle } from 'node:fs/promises';
import { type Entry, fromRandomAccessReaderPromise, type ZipFile } from 'yauzl';
import { readExactly } from '../../files/fully.ts';
import { dtypeBytes } from '../safetensorsHeader.ts';
import { type Archive, longestPickle, type Place } from './archive.ts';
import { BoundedReader } from './boundedReader.ts';
import { PthProblem, quoted } from './problem.ts';
import { unpickle } from './unpickle.ts';

/** Entries of a checkpoint are one a storage and a few more. */
const mostEntries = 200_000;

/**
 * The format since PyTorch 1.6: a zip file with `NAME/data.pkl` and `NAME/data/KEY`, one for each storage. PyTorch compresses
 * nothing, so what is compressed is refused, and no entry is longer than the file.
 */
export async function openZipArchive(handle: FileHandle): Promise<Archive> {
  const entries = await entriesOf(handle);
  const pickle = [...entries].find(([name]) => /^[^/]+\/data\.pkl$/.test(name));
  if (!pickle) throw new PthProblem('it has no data.pkl, so PyTorch did not write it');
  const [pickleName, { begin, bytes }] = pickle;
  const root = pickleName.slice(0, -'data.pkl'.length);
  if (entries.has(`${root}constants.pkl`))
    throw new PthProblem('it is a TorchScript program, not a checkpoint: it contains code');
  if (bytes > longestPickle) throw new PthProblem(`its data.pkl has ${bytes} bytes; at most ${longestPickle} are read`);
  const order = entries.get(`${root}byteorder`);
  if (order && order.bytes < 16) {
    const text = (await readExactly(handle, order.begin, order.bytes)).toString('latin1');
    if (text !== 'little') throw new PthProblem(`its byte order is ${quoted(text)}; only "little" is read`);
  }
  const { value } = unpickle(await readExactly(handle, begin, bytes));
  return {
    value,
    place({ key, dtype, length }) {
      const place = entries.get(`${root}data/${key}`);
      if (!place) throw new PthProblem(`it has no data for storage ${quoted(key)}`);
      const needed = length * (dtype === null ? 1 : dtypeBytes[dtype]);
      if (place.bytes < needed)
        throw new PthProblem(`storage ${quoted(key)} has ${place.bytes} bytes, but needs ${needed}`);
      return place;
    },
    checked: [...entries].map(([name, place]) => ({ ...place, name })),
  };
}

async function entriesOf(handle: FileHandle): Promise<Map<string, Place>> {
  const { size } = await handle.stat();
  const options = { autoClose: false, lazyEntries: true, strictFileNames: true };
  const zip = await fromRandomAccessReaderPromise(new BoundedReader(handle.fd, size), size, options);
  if (zip.entryCount > mostEntries)
    throw new PthProblem(`it has ${zip.entryCount} entries; at most ${mostEntries} are read`);
  const places = new Map<string, Place>();
  for await (const entry of zip.eachEntry()) {
    const name = entry.fileName;
    if (name.endsWith('/')) continue;
    if (places.has(name)) throw new PthProblem(`the entry ${quoted(name)} appears twice`);
    places.set(name, await placeOf(zip, entry, size));
  }
  return places;
}

async function placeOf(zip: ZipFile, entry: Entry, size: number): Promise<Place> {
  const { fileName, compressionMethod, compressedSize, uncompressedSize, crc32 } = entry;
  if (entry.isEncrypted()) throw new PthProblem(`the entry ${quoted(fileName)} is encrypted`);
  if (compressionMethod !== 0 || compressedSize !== uncompressedSize)
    throw new PthProblem(`the entry ${quoted(fileName)} is compressed; PyTorch writes uncompressed ones`);
  const { fileDataStart } = await zip.readLocalFileHeaderPromise(entry, { minimal: true });
  if (fileDataStart + uncompressedSize > size) throw new PthProblem(`the entry ${quoted(fileName)} is cut off`);
  return { begin: fileDataStart, bytes: uncompressedSize, crc32 };
}
