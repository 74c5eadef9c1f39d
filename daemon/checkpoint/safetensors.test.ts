import { execFileSync } from 'node:child_process';
import { mkdtemp, open, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UnimissError } from '../../protocol/errors.ts';
import { byteLength, decodeHeader, encodeHeader, place, type TensorInfo } from './safetensorsHeader.ts';
import { SafetensorsFile } from './safetensorsReader.ts';
import { type TensorSource, writeSafetensors } from './safetensorsWriter.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'unimiss-safetensors-'));
});
afterAll(() => rm(folder, { recursive: true }));

const golden = join(process.env.UNIMISS_GOLDEN ?? 'test/golden/data', 'reference-checkpoint-student.safetensors');

const source = (name: string, values: Float32Array, shape: number[] = [values.length]): TensorSource => ({
  name,
  dtype: 'F32',
  shape,
  read: () => values,
});

/** A file with this JSON for a header and this much data. */
async function fileWith(json: string, data: number): Promise<string> {
  const file = join(folder, 'made.safetensors');
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(Buffer.byteLength(json)));
  await writeFile(file, Buffer.concat([length, Buffer.from(json), Buffer.alloc(data)]));
  return file;
}

describe('a safetensors file', () => {
  it('returns what was written: names, types, shapes, bits, metadata', async () => {
    const tensor = fc.record({
      name: fc.string({ unit: 'binary', maxLength: 20 }).filter((name) => name !== '__metadata__'),
      dtype: fc.constantFrom('F32', 'F64', 'I32', 'I64', 'U8', 'BF16', 'BOOL'),
      shape: fc.array(fc.nat(4), { maxLength: 4 }),
      seed: fc.nat(255),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(tensor, { selector: (t) => t.name, maxLength: 6 }),
        fc.dictionary(fc.string(), fc.string()),
        async (tensors, metadata) => {
          const { sha256: _, ...given } = metadata;
          const file = join(folder, 'property.safetensors');
          const sources = tensors.map(({ seed, ...info }) => {
            const bytes = Uint8Array.from({ length: byteLength(info as TensorInfo) }, (_, i) => (i * 37 + seed) & 0x7f);
            return { ...(info as TensorInfo), read: async () => bytes };
          });
          await writeSafetensors(file, sources, given);
          const back = await SafetensorsFile.open(file);
          await back.verify();
          const { sha256, ...metadataBack } = back.metadata;
          expect(metadataBack).toEqual(given);
          expect(sha256).toMatch(/^[0-9a-f]{64}$/);
          expect([...back.tensors.keys()].sort()).toEqual(sources.map((s) => s.name).sort());
          for (const s of sources) {
            expect(back.tensors.get(s.name)).toMatchObject({ dtype: s.dtype, shape: s.shape });
            const values = await back.read(s.name);
            expect(new Uint8Array(values.buffer)).toEqual(await s.read());
          }
          await back.close();
        },
      ),
      { numRuns: 60 },
    );
  });

  it('recognises every single changed byte, and every cut', async () => {
    const file = join(folder, 'damage.safetensors');
    await writeSafetensors(file, [source('a', Float32Array.of(1, 2, 3)), source('b', Float32Array.of(4))], { k: 'v' });
    const whole = await readFile(file);
    const check = async (): Promise<void> => {
      const opened = await SafetensorsFile.open(file);
      await opened.verify().finally(() => opened.close());
    };
    await check();
    for (let at = 0; at < whole.length; at++) {
      const changed = Buffer.from(whole);
      changed[at] = changed[at]! ^ (1 << (at % 8));
      await writeFile(file, changed);
      await expect(check(), `byte ${at}`).rejects.toThrow(UnimissError);
    }
    for (let length = 0; length < whole.length; length++) {
      await writeFile(file, whole.subarray(0, length));
      await expect(check(), `${length} bytes`).rejects.toThrow(UnimissError);
    }
  });

  const ok = '{"dtype":"F32","shape":[2],"data_offsets":[0,8]}';
  it.each([
    ['not JSON', '{"a":', 0, 'not JSON'],
    ['a comment', `{/**/"a":${ok}}`, 8, 'not JSON'],
    ['not an object', '[1]', 0, 'not JSON'],
    ['a name twice', `{"a":${ok},"a":${ok}}`, 8, 'appears twice'],
    ['metadata twice', '{"__metadata__":{},"__metadata__":{}}', 0, 'appears twice'],
    ['metadata that are no texts', '{"__metadata__":{"a":1}}', 0, 'not a string'],
    ['an unknown type', '{"a":{"dtype":"F31","shape":[2],"data_offsets":[0,8]}}', 8, 'unknown type "F31"'],
    ['a type from the prototype', '{"a":{"dtype":"toString","shape":[2],"data_offsets":[0,8]}}', 8, 'unknown type'],
    ['a wrong size', '{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}', 8, 'needs 12 bytes but has 8'],
    ['a negative size', '{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,8]}}', 8, 'not a size'],
    ['a fraction', '{"a":{"dtype":"F32","shape":[0.5],"data_offsets":[0,2]}}', 2, 'not a size'],
    ['a huge product', '{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]}}', 8, 'too large'],
    ['no shape', '{"a":{"dtype":"F32","data_offsets":[0,8]}}', 8, 'lacks its shape'],
    ['no place', '{"a":{"dtype":"F32","shape":[2]}}', 8, 'lacks its shape or its data offsets'],
    ['a place backwards', '{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}', 8, 'are not [begin, end]'],
    ['an overlap', `{"a":${ok},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, 8, 'overlap'],
    ['a hole', `{"a":${ok},"b":{"dtype":"F32","shape":[1],"data_offsets":[12,16]}}`, 16, 'gap'],
    ['too few data', `{"a":${ok}}`, 7, 'ends after 7 of 8 bytes'],
    ['too many data', `{"a":${ok}}`, 9, '1 bytes of data belong to no tensor'],
  ])('refuses %s', async (_, json, data, what) => {
    const error = await SafetensorsFile.open(await fileWith(json, data)).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(UnimissError);
    expect(error).toMatchObject({ code: 'checkpoint' });
    expect((error as Error).message).toContain(what);
    expect((error as Error).message).toContain('made.safetensors');
  });

  it('refuses a header length beyond the file, a folder and a missing file', async () => {
    const file = join(folder, 'long.safetensors');
    await writeFile(file, Buffer.from([255, 255, 255, 255, 255, 255, 255, 127, 123, 125]));
    await expect(SafetensorsFile.open(file)).rejects.toThrow(/header would be .* bytes long; the file has 10/);
    await expect(SafetensorsFile.open(folder)).rejects.toThrow(UnimissError);
    await expect(SafetensorsFile.open(join(folder, 'none'))).rejects.toThrow(/cannot be opened: ENOENT/);
  });

  it('reads any bytes without failing otherwise than by a RangeError', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), fc.nat(100), (json, length) => {
        try {
          const { tensors } = decodeHeader(json, length);
          expect(tensors.reduce((n, t) => n + t.end - t.begin, 0)).toBe(length);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
    );
  });

  it('checks that a tensor is F32 of a shape', async () => {
    const file = join(folder, 'shape.safetensors');
    await writeSafetensors(file, [source('a', new Float32Array(6), [2, 3])], {});
    const opened = await SafetensorsFile.open(file);
    expect(await opened.readFloat32('a', [2, 3])).toHaveLength(6);
    await expect(opened.readFloat32('a', [3, 2])).rejects.toThrow(/F32 \[2, 3\], not F32 \[3, 2\]/);
    await expect(opened.read('b')).rejects.toThrow(/no tensor "b"/);
    await opened.close();
  });
});

describe('writing', () => {
  it('starts the data at a multiple of 8 bytes', () => {
    for (let n = 0; n < 9; n++)
      expect(encodeHeader({ metadata: { k: 'x'.repeat(n) }, tensors: [] }).length % 8).toBe(0);
  });

  it('refuses two tensors of a name, and the name of the metadata', () => {
    const info: TensorInfo = { name: 'a', dtype: 'F32', shape: [] };
    expect(() => encodeHeader({ metadata: {}, tensors: place([info, info]) })).toThrow('same name');
    expect(() => encodeHeader({ metadata: {}, tensors: place([{ ...info, name: '__metadata__' }]) })).toThrow(
      '__metadata__',
    );
  });

  it('leaves the file before as it was, and nothing beside it, when a tensor fails', async () => {
    const inner = await mkdtemp(join(folder, 'inner-'));
    const file = join(inner, 'a.safetensors');
    await writeSafetensors(file, [source('a', Float32Array.of(1))], {});
    const before = await readFile(file);
    const failing = { ...source('b', new Float32Array(1)), read: () => Promise.reject(new Error('no tensor')) };
    await expect(writeSafetensors(file, [source('a', Float32Array.of(2)), failing], {})).rejects.toThrow('no tensor');
    await expect(writeSafetensors(file, [source('a', Float32Array.of(2), [3])], {})).rejects.toThrow(
      'has 4 bytes, not 12',
    );
    expect(await readFile(file)).toEqual(before);
    expect(await readdir(inner)).toEqual(['a.safetensors']);
  });

  it('asks for one tensor at a time', async () => {
    let open = 0;
    const sources = Array.from(
      { length: 5 },
      (_, i): TensorSource => ({
        ...source(`t${i}`, new Float32Array(4)),
        read: async () => {
          expect(open++).toBe(i);
          return new Float32Array(4);
        },
      }),
    );
    await writeSafetensors(join(folder, 'order.safetensors'), sources, {});
    expect(open).toBe(5);
  });

  it('holds little more than one tensor, and keeps the event loop free, for 400 MB', async () => {
    const file = join(folder, 'large.safetensors');
    const values = new Float32Array(5 << 20).fill(1);
    const sources = Array.from({ length: 20 }, (_, i) => ({ ...source(`t${i}`, values), read: () => values.slice() }));
    const before = process.memoryUsage().rss;
    let peak = before;
    let lag = 0;
    let last = performance.now();
    const timer = setInterval(() => {
      const now = performance.now();
      lag = Math.max(lag, now - last);
      last = now;
      peak = Math.max(peak, process.memoryUsage().rss);
    }, 5);
    await writeSafetensors(file, sources, {});
    const opened = await SafetensorsFile.open(file);
    await opened.verify();
    await opened.close();
    clearInterval(timer);
    expect((await stat(file)).size).toBeGreaterThan(400e6);
    expect((peak - before) / 2 ** 20).toBeLessThan(250);
    expect(lag).toBeLessThan(1000);
    await truncate(file, 0);
  });
});

describe('other programs', () => {
  it("reads the reference's weights", async () => {
    const file = await SafetensorsFile.open(golden);
    await file.verify({ optional: true });
    expect(file.tensors.size).toBeGreaterThan(50);
    const name = 'module.backbone.DecEmbed2D0.proj.weight';
    expect(file.tensors.get(name)).toMatchObject({ dtype: 'F32', shape: [128, 64, 2, 2] });
    const values = await file.readFloat32(name);
    const bound = 1 / Math.sqrt(64 * 4) + 0.1;
    expect(values.every((x) => Number.isFinite(x) && Math.abs(x) < bound)).toBe(true);
    expect(new Set(values.subarray(0, 100)).size).toBeGreaterThan(90);
    await file.close();
  });

  it('writes it again to the same tensors, and twice to the same bytes', async () => {
    const original = await SafetensorsFile.open(golden);
    const sources = [...original.tensors.values()].map((t) => ({ ...t, read: () => original.read(t.name) }));
    const [a, b] = [join(folder, 'copy-a'), join(folder, 'copy-b')];
    const first = await writeSafetensors(a, sources, { from: 'reference' });
    expect(await writeSafetensors(b, sources, { from: 'reference' })).toEqual(first);
    const copy = await SafetensorsFile.open(a);
    for (const name of original.tensors.keys()) expect(await copy.read(name)).toEqual(await original.read(name));
    await copy.close();
    await original.close();
  });

  const python = (code: string): string =>
    execFileSync(process.env.UNIMISS_PYTHON ?? 'python3', ['-c', code], { encoding: 'utf8', stdio: 'pipe' });
  const has = (modules: string): boolean => {
    try {
      python(`import ${modules}`);
      return true;
    } catch {
      return false;
    }
  };

  it.skipIf(!has('json'))('is read by Python as the format says', async () => {
    const file = join(folder, 'python.safetensors');
    await writeSafetensors(
      file,
      [source('x', Float32Array.of(1.5, -2, 0.25)), source('scalar', Float32Array.of(7), [])],
      { a: 'b' },
    );
    const read = python(`
import json, struct
f = open(${JSON.stringify(file)}, 'rb').read()
n = struct.unpack('<Q', f[:8])[0]
h = json.loads(f[8:8+n])
b, e = h['x']['data_offsets']
print(h['__metadata__']['a'], h['scalar']['shape'], struct.unpack('<3f', f[8+n+b:8+n+e]))`);
    expect(read.trim()).toBe('b [] (1.5, -2.0, 0.25)');
  });

  it.skipIf(!has('numpy, safetensors'))("is read by Python's safetensors", async () => {
    const file = join(folder, 'library.safetensors');
    await writeSafetensors(file, [source('x', Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3])], { a: 'b' });
    const read = python(`
from safetensors import safe_open
with safe_open(${JSON.stringify(file)}, 'np') as f: print(f.metadata()['a'], f.get_tensor('x').tolist())`);
    expect(read.trim()).toBe('b [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]');
  });

  it("reads what Python's safetensors would write: no checksum, spaces behind the JSON", async () => {
    const file = await fileWith('{"a":{"dtype":"I64","shape":[],"data_offsets":[0,8]}}   ', 8);
    const opened = await SafetensorsFile.open(file);
    expect(await opened.read('a')).toEqual(BigInt64Array.of(0n));
    await expect(opened.verify()).rejects.toThrow('no checksum');
    await opened.verify({ optional: true });
    await opened.close();
  });

  it('names what cannot be read when the file shrinks under it', async () => {
    const file = join(folder, 'shrinks.safetensors');
    await writeSafetensors(file, [source('a', new Float32Array(100))], {});
    const opened = await SafetensorsFile.open(file);
    const handle = await open(file, 'r+');
    await handle.truncate(300);
    await handle.close();
    await expect(opened.read('a')).rejects.toThrow(/cannot be read: it ends at byte 300/);
    await opened.close();
  });
});
