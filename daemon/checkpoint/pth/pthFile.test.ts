import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { zipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { UnimissError } from '../../../protocol/errors.ts';
import { SafetensorsFile } from '../safetensorsReader.ts';
import { readFloating } from '../tensorFile.ts';
import { PthFile } from './pthFile.ts';

const fixtures = 'test/fixtures/pth';
const expectedTensors = z.record(
  z.string(),
  z.record(z.string(), z.object({ shape: z.array(z.number()), values: z.array(z.number()) })),
);

let folder: string;
let expected: z.output<typeof expectedTensors>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'unimiss-pth-'));
  expected = expectedTensors.parse(JSON.parse(await readFile(join(fixtures, 'expected.json'), 'utf8')));
});
afterAll(() => rm(folder, { recursive: true }));

async function use<T>(file: string, what: (opened: PthFile) => T | Promise<T>): Promise<T> {
  const opened = await PthFile.open(file);
  try {
    return await what(opened);
  } finally {
    await opened.close();
  }
}

/** A file with these bytes, and what opening it and reading all of it throws. */
async function failure(bytes: Uint8Array, name = 'made.pth'): Promise<UnimissError> {
  const file = join(folder, name);
  await writeFile(file, bytes);
  const error = await use(file, async (opened) => {
    await opened.verify({ optional: true });
    for (const tensor of opened.tensors.keys()) await opened.read(tensor);
  }).catch((thrown: unknown) => thrown);
  if (error instanceof UnimissError) return error;
  throw new Error(`a UnimissError was expected, not ${String(error)}`);
}

const same = (a: ArrayBufferView, b: ArrayBufferView) =>
  Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(Buffer.from(b.buffer, b.byteOffset, b.byteLength));

/** A checkpoint in the zip format whose data.pkl is this pickle. */
const zipOf = (pickle: Uint8Array, data: Record<string, Uint8Array> = {}, level: 0 | 9 = 0) =>
  zipSync(
    {
      'a/data.pkl': pickle,
      ...Object.fromEntries(Object.entries(data).map(([key, bytes]) => [`a/data/${key}`, bytes])),
    },
    { level },
  );

const global = (name: string) => Buffer.from(`c${name.replace('\0', '\n')}\n`, 'latin1');
const text = (value: string) => Buffer.concat([Buffer.from([0x8c, value.length]), Buffer.from(value)]);
const int = (value: number) => {
  const bytes = Buffer.alloc(10);
  bytes.set([0x8a, 8]);
  bytes.writeBigInt64LE(BigInt(value), 2);
  return bytes;
};
const op = (code: string) => Buffer.from(code, 'latin1');
const pickle = (...parts: Buffer[]) => Buffer.concat([Buffer.from([0x80, 2]), ...parts, op('.')]);
const tuple = (...parts: Buffer[]) => Buffer.concat([op('('), ...parts, op('t')]);
const storage = (key: string, length: number) =>
  Buffer.concat([tuple(text('storage'), global('torch\0FloatStorage'), text(key), text('cpu'), int(length)), op('Q')]);
const tensor = (from: Buffer, offset: number, shape: number[], strides: number[]) =>
  Buffer.concat([
    global('torch._utils\0_rebuild_tensor_v2'),
    tuple(from, int(offset), tuple(...shape.map(int)), tuple(...strides.map(int)), op('\x89'), op('N')),
    op('R'),
  ]);
const dict = (...entries: [string, Buffer][]) =>
  Buffer.concat([op('}('), ...entries.flatMap(([key, value]) => [text(key), value]), op('u')]);

describe('files that PyTorch wrote', () => {
  it.each([
    ['checkpoint', 'checkpoint.pth'],
    ['checkpoint', 'checkpoint-legacy.pth'],
    ['checkpoint', 'checkpoint-protocol4.pth'],
    ['kinds', 'kinds.pth'],
    ['kinds', 'kinds-legacy.pth'],
  ])('%s: %s has the tensors that PyTorch reads', async (name, file) => {
    await use(join(fixtures, file), async (opened) => {
      const tensors = expected[name] ?? {};
      expect([...opened.tensors.keys()].sort()).toEqual(Object.keys(tensors).sort());
      for (const [key, { shape, values }] of Object.entries(tensors)) {
        const info = opened.tensors.get(key);
        expect(info?.shape, key).toEqual(shape);
        const floating = ['F32', 'F64', 'F16', 'BF16'].includes(info?.dtype ?? '');
        const read = floating ? await readFloating(opened, key) : await opened.read(key);
        const rounded = floating && info?.dtype === 'F64' ? values.map(Math.fround) : values;
        expect(Array.from(read, Number), key).toEqual(rounded);
      }
    });
  });

  it('texts and numbers beside the tensors: epoch, options, learning rate', async () => {
    await use(join(fixtures, 'checkpoint.pth'), ({ scalars }) => {
      expect(Object.fromEntries([...scalars].filter(([name]) => /^(epoch|args)/.test(name)))).toEqual({
        epoch: 7,
        'args.arch': 'MiT',
        'args.lr': 0.5,
        'args.local_rank': -3,
        'args.seed': 2 ** 40,
        'args.flag': true,
        'args.none': null,
        'args.sizes.0': 1,
        'args.sizes.1': 2,
      });
      expect(scalars.get('optimizer.param_groups.0.lr')).toBe(1e-3);
    });
  });

  const golden = process.env.UNIMISS_GOLDEN ?? 'test/golden/data';
  const files = ['reference-checkpoint.pth', 'reference-checkpoint-legacy.pth'].map((name) => join(golden, name));
  it.skipIf(!files.every((file) => existsSync(file)))(
    "the reference's checkpoints have the weights of its safetensors, bit by bit",
    async () => {
      const [zip = '', legacy = ''] = files;
      const student = await SafetensorsFile.open(join(golden, 'reference-checkpoint-student.safetensors'));
      await use(zip, async (opened) => {
        await opened.verify();
        for (const [name, { shape }] of student.tensors) {
          expect(opened.tensors.get(`student.${name}`)?.shape).toEqual(shape);
          expect(same(await opened.read(`student.${name}`), await student.read(name)), name).toBe(true);
        }
        await use(legacy, async (old) => {
          const teachers = [...old.tensors.keys()].filter((name) => name.startsWith('teacher.'));
          expect(teachers).toHaveLength(student.tensors.size);
          for (const name of teachers) expect(same(await old.read(name), await opened.read(name)), name).toBe(true);
        });
      });
      await student.close();
    },
  );
});

describe('what is refused', () => {
  it.each([
    ['exploit.pth', /"(builtins|__builtin__)\.eval", which is refused: loading it could run any program/],
    ['exploit-legacy.pth', /"(builtins|__builtin__)\.eval"/],
    ['script.pth', /TorchScript program|__torch__|refused/],
    ['complex.pth', /"torch\.ComplexFloatStorage"/],
    ['plain.pkl', /magic number/],
  ])('%s', async (file, message) => {
    const error = await PthFile.open(join(fixtures, file)).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UnimissError);
    expect(error).toMatchObject({ code: 'checkpoint', message: expect.stringMatching(message) });
    expect(error).toMatchObject({ message: expect.stringContaining('state_dict') });
  });

  const four = { s: new Uint8Array(16) };
  it.each([
    ['an unknown operation', pickle(op('\xff')), {}, /operation 0xff/],
    ['an operation that is not in the list', pickle(op('N'), op('2')), {}, /operation DUP, which is refused/],
    ['a value that is not there', pickle(), {}, /not there/],
    ['a cut pickle', Buffer.from([0x80, 2, 0x7d]), {}, /cut off/],
    ['a text beyond the end', Buffer.from([0x80, 2, 0x58, 255, 255, 255, 255]), {}, /cut off/],
    ['a text of nearly 2^64 bytes', Buffer.from([0x80, 4, 0x8d, ...Array(8).fill(255)]), {}, /cut off/],
    ['a value that was not kept', pickle(op('h\x05')), {}, /recalls value 5/],
    ['a storage that is not there', pickle(dict(['t', tensor(storage('x', 4), 0, [4], [1])])), four, /no data for/],
    ['a storage that is too short', pickle(dict(['t', tensor(storage('s', 5), 0, [5], [1])])), four, /needs 20/],
    ['strides outside', pickle(dict(['t', tensor(storage('s', 4), 0, [2, 2], [3, 1])])), four, /reaches to element 5/],
    ['an offset outside', pickle(dict(['t', tensor(storage('s', 4), 3, [2], [1])])), four, /reaches to element 5/],
    ['a negative stride', pickle(dict(['t', tensor(storage('s', 4), 3, [2], [-1])])), four, /not a whole number/],
    ['sizes without strides', pickle(dict(['t', tensor(storage('s', 4), 0, [2], [])])), four, /has 0 strides/],
    [
      'an expansion to all memory',
      pickle(dict(['t', tensor(storage('s', 4), 0, [2 ** 40], [0])])),
      four,
      /has 1099511627776 elements, but its storage only 4/,
    ],
    ['a size beyond 2^53', pickle(dict(['t', tensor(storage('s', 4), 0, [2 ** 62], [0])])), four, /not a whole number/],
    [
      'more than 64 axes',
      pickle(dict(['t', tensor(storage('s', 4), 0, Array(65).fill(1), Array(65).fill(1))])),
      four,
      /64/,
    ],
    ['a call of a type', pickle(global('torch\0FloatStorage'), op(')R')), {}, /not a function here/],
    ['a call with a list', pickle(global('collections\0OrderedDict'), tuple(op(']')), op('R')), {}, /made from a list/],
    ['a key that is a list', pickle(op('}'), op(']'), op('N'), op('s')), {}, /key that is no text/],
    ['a list that contains itself', pickle(op(']q\0h\0a')), {}, /contain themselves/],
    ['a name twice', pickle(dict(['a.b', op('N')], ['a', dict(['b', op('N')])])), {}, /appears twice/],
  ])('%s', async (_, bytes, data, message) => {
    const error = await failure(zipOf(bytes, data));
    expect(error.message).toMatch(message);
    expect(error.message).toContain('made.pth');
  });

  it('nesting that multiplies: lists of ten times the same list, twelve deep', async () => {
    const levels = Array.from({ length: 12 }, (_, i) =>
      Buffer.concat([
        op(']('),
        ...Array.from({ length: 10 }, () => op(`h${String.fromCharCode(i)}`)),
        op(`eq`),
        Buffer.from([i + 1]),
      ]),
    );
    const error = await failure(zipOf(pickle(op(']q\0'), ...levels)));
    expect(error.message).toMatch(/more than 1000000 values/);
  });

  it('nesting a million deep, without a stack of calls', async () => {
    const error = await failure(zipOf(pickle(op(']'.repeat(1_000_000)), op('a'.repeat(999_999)))));
    expect(error.message).toMatch(/nested more than 32 deep/);
  });

  it('a dictionary that is given to a hundred thousand objects costs nothing', async () => {
    const big = Buffer.concat([
      op('}('),
      ...Array.from({ length: 50_000 }, (_, i) => [int(i), op('N')]).flat(),
      op('uq\0'),
    ]);
    const objects = Array.from({ length: 100_000 }, () =>
      Buffer.concat([global('argparse\0Namespace'), op(')\x81h\0b')]),
    );
    const error = await failure(zipOf(pickle(op(']('), big, ...objects, op('e'))));
    expect(error.message).toMatch(/more than 1000000 values/);
  });

  it('compressed data: a bomb', async () => {
    const error = await failure(zipOf(pickle(dict()), { s: new Uint8Array(1 << 24) }, 9));
    expect(error.message).toMatch(/is compressed/);
  });

  it('a place of 2^53 and more in the directory of a zip file', async () => {
    const bytes = await readFile(join(fixtures, 'checkpoint-protocol4.pth'));
    // The highest byte but one of the 64-bit place of the central directory's end, in its locator (APPNOTE 4.3.15).
    bytes[bytes.lastIndexOf('PK\x06\x07', undefined, 'latin1') + 8 + 6] = 55;
    expect((await failure(bytes)).message).toMatch(/points beyond its end/);
  });

  it('a changed byte in the data: its checksum differs', async () => {
    const bytes = await readFile(join(fixtures, 'kinds.pth'));
    const half = Buffer.from(Float32Array.of(-1.5, -1.13, -0.76).buffer);
    const at = bytes.indexOf(half);
    expect(at).toBeGreaterThan(0);
    bytes[at] = 7;
    expect((await failure(bytes)).message).toMatch(/checksum of "kinds\/data\/\d+" differs/);
  });

  it('a folder, a missing file, an empty one', async () => {
    await expect(PthFile.open(folder)).rejects.toThrow(UnimissError);
    await expect(PthFile.open(join(folder, 'none.pth'))).rejects.toThrow(/cannot be opened: ENOENT/);
    expect((await failure(new Uint8Array())).message).toMatch(/neither a zip file nor a pickle/);
  });
});

describe('damage', () => {
  /** Opens, verifies and reads everything: well, or with a UnimissError. */
  async function survives(bytes: Uint8Array): Promise<void> {
    const file = join(folder, 'fuzzed.pth');
    await writeFile(file, bytes);
    await use(file, async (opened) => {
      await opened.verify({ optional: true });
      for (const name of opened.tensors.keys()) await opened.read(name);
    }).catch((error: unknown) => {
      if (!(error instanceof UnimissError)) throw error;
    });
  }

  it('any bytes, also behind the magic number and in a zip file, end with a result or a UnimissError', async () => {
    const legacy = (await readFile(join(fixtures, 'kinds-legacy.pth'))).subarray(0, 21);
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        await survives(bytes);
        await survives(Buffer.concat([legacy, bytes]));
        await survives(zipOf(bytes));
      }),
      { numRuns: 300 },
    );
  });

  it.each(['checkpoint.pth', 'checkpoint-legacy.pth', 'kinds.pth', 'kinds-legacy.pth', 'checkpoint-protocol4.pth'])(
    '%s with changed bytes, or cut',
    async (name) => {
      const whole = await readFile(join(fixtures, name));
      const change = fc.tuple(fc.nat(whole.length - 1), fc.nat(255));
      await fc.assert(
        fc.asyncProperty(
          fc.array(change, { minLength: 1, maxLength: 4 }),
          fc.nat(whole.length),
          async (changes, cut) => {
            const bytes = Buffer.from(whole);
            for (const [at, byte] of changes) bytes[at] = byte;
            await survives(bytes);
            await survives(whole.subarray(0, cut));
          },
        ),
        { numRuns: 150 },
      );
    },
  );

  it('no cut of a checkpoint is taken for a whole one', async () => {
    for (const name of ['checkpoint.pth', 'checkpoint-legacy.pth']) {
      const whole = await readFile(join(fixtures, name));
      for (let length = 0; length < whole.length; length += 97)
        expect(await failure(whole.subarray(0, length)), `${name}, ${length} bytes`).toBeInstanceOf(UnimissError);
    }
  });
});
