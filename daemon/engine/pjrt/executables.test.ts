import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { lackOfPjrt, pjrtTestEngine } from '../../../test/engine.ts';
import type { PjrtClient } from './client.ts';
import { optionsFor } from './deviceOptions.ts';
import { Executables } from './executables.ts';
import { PjrtError } from './pjrtError.ts';
import { PjrtPlatform } from './platform.ts';

/** x ↦ x · factor + state, which it also puts in the place of the state. */
const module = (factor: number) => `module @kept {
func.func public @main(%x: tensor<4xf32>, %s: tensor<4xf32> {tf.aliasing_output = 1 : i32}) -> (tensor<4xf32>, tensor<4xf32>) {
%f = stablehlo.constant dense<${factor.toFixed(1)}> : tensor<4xf32>
%y = stablehlo.multiply %x, %f : tensor<4xf32>
%z = stablehlo.add %y, %s : tensor<4xf32>
return %y, %z : tensor<4xf32>, tensor<4xf32>
} }
`;

describe.skipIf(lackOfPjrt)('compiled modules on disk', () => {
  let client: PjrtClient;
  beforeAll(async () => {
    const { platform } = await pjrtTestEngine();
    if (!(platform instanceof PjrtPlatform)) throw new Error('another engine is open');
    ({ client } = platform);
  });

  const newFolder = () => join(mkdtempSync(join(tmpdir(), 'executables-')), 'kept');
  const only = (folder: string) => {
    const [name, ...others] = readdirSync(folder);
    if (name === undefined || others.length > 0) throw new Error(`${others.length + 1} files`);
    return join(folder, name);
  };

  /** Gets the executable in a new process, as it were, and runs it. @returns its results, and whether it was loaded */
  async function used(folder: string, factor = 3, more: { maxBytes?: number; flags?: Record<string, boolean> } = {}) {
    const { flags = {}, ...options } = more;
    const notices: string[] = [];
    const executables = new Executables(client, () => flags, {
      folder,
      notice: (text) => notices.push(text),
      ...options,
    });
    const executable = await executables.of(module(factor));
    const type = { dtype: 1, shape: [4] };
    const inputs = [client.put(type, Float32Array.of(1, 2, 3, 4)), client.put(type, Float32Array.of(5, 5, 5, 5))];
    const { made, done } = await client.submit(executable, inputs);
    await client.waitFor(done);
    const values = made.map((buffer) => [...client.fetch(type, buffer)]);
    for (const buffer of [...inputs, ...made]) client.free(buffer);
    client.freeExecutable(executable);
    expect(executable.memory.aliased).toBe(16);
    expect(executable.outputs).toBe(2);
    return { loaded: executables.loaded === 1, values, notices };
  }
  const times3 = [
    [3, 6, 9, 12],
    [8, 11, 14, 17],
  ];

  test('are loaded the next time, and readable by their owner only', async () => {
    const folder = newFolder();
    expect(await used(folder)).toEqual({ loaded: false, values: times3, notices: [] });
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(statSync(only(folder)).mode & 0o777).toBe(0o600);
    const long = new Date(2020, 1, 1);
    utimesSync(only(folder), long, long);
    expect(await used(folder)).toEqual({ loaded: true, values: times3, notices: [] });
    expect(statSync(only(folder)).mtimeMs).toBeGreaterThan(long.getTime());
  });

  test('another module and other options of XLA have their own', async () => {
    const folder = newFolder();
    await used(folder);
    expect(await used(folder, 2)).toMatchObject({
      loaded: false,
      values: [
        [2, 4, 6, 8],
        [7, 9, 11, 13],
      ],
    });
    expect(await used(folder, 3, { flags: { xla_cpu_enable_fast_math: false } })).toMatchObject({ loaded: false });
    vi.stubEnv('XLA_FLAGS', '--xla_cpu_enable_fast_math=false');
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(await used(folder)).toMatchObject({ loaded: false });
    expect(readdirSync(folder)).toHaveLength(4);
  });

  test.each<[string, (file: string) => void]>([
    ['cut off', (file) => truncateSync(file, statSync(file).size - 5)],
    ['empty', (file) => truncateSync(file, 0)],
    ['no executable', (file) => writeFileSync(file, 'hello\n')],
    [
      'changed in one byte',
      (file) => {
        const content = readFileSync(file);
        const at = content.length - 100;
        content.writeUInt8(content.readUInt8(at) ^ 1, at);
        writeFileSync(file, content);
      },
    ],
    [
      'of another module',
      (file) => {
        const content = readFileSync(file, 'latin1');
        writeFileSync(file, content.replace(/"key":"[0-9a-f]{64}"/, `"key":"${'0'.repeat(64)}"`), 'latin1');
      },
    ],
  ])('one that is %s is compiled again and replaced', async (_, damage) => {
    const folder = newFolder();
    await used(folder);
    const whole = statSync(only(folder)).size;
    damage(only(folder));
    expect(await used(folder)).toEqual({ loaded: false, values: times3, notices: [] });
    expect(statSync(only(folder)).size).toBe(whole);
    expect((await used(folder)).loaded).toBe(true);
  });

  test('tell themselves how many results they have and what they update in place, whatever the first line says', async () => {
    const folder = newFolder();
    await used(folder);
    const content = readFileSync(only(folder));
    const end = content.indexOf('\n');
    const header = JSON.parse(content.toString('utf8', 0, end));
    expect(Object.keys(header).sort()).toEqual(['bytes', 'format', 'key', 'sha256']);
    // More results than there are: fewer would be written outside of our memory.
    const memory = { arguments: 32, outputs: 32, aliased: 17, temporary: 0 };
    const first = JSON.stringify({ ...header, outputs: 3, memory });
    writeFileSync(only(folder), Buffer.concat([Buffer.from(first), content.subarray(end)]));
    expect(await used(folder)).toEqual({ loaded: true, values: times3, notices: [] });
  });

  test('what the plugin does not describe is freed', async () => {
    const { call } = client.api;
    const destroyed: string[] = [];
    const spy = vi.spyOn(client.api, 'call').mockImplementation((name, ...given) => {
      if (name === 'Executable_GetCompiledMemoryStats') throw new PjrtError(name, 12, 'not implemented');
      if (name.endsWith('Executable_Destroy')) destroyed.push(name);
      return call.call(client.api, name, ...given);
    });
    onTestFinished(() => spy.mockRestore());
    await expect(client.compile(module(3))).rejects.toThrow('not implemented');
    expect(destroyed).toEqual(['LoadedExecutable_Destroy', 'Executable_Destroy']);
  });

  test('an array that does not reach the device is freed', () => {
    const { call } = client.api;
    const freed: unknown[] = [];
    const spy = vi.spyOn(client.api, 'call').mockImplementation((name, ...given) => {
      const result = call.call(client.api, name, ...given);
      if (name === 'Event_Await') throw new PjrtError(name, 8, 'no memory');
      if (name === 'Buffer_Destroy') freed.push(given[1]?.[2]);
      return result;
    });
    onTestFinished(() => spy.mockRestore());
    expect(() => client.put({ dtype: 1, shape: [2] }, Float32Array.of(1, 2))).toThrow('no memory');
    expect(freed).toEqual([expect.any(BigInt)]);
  });

  test('those that were not used for longest make room', async () => {
    const folder = newFolder();
    await used(folder);
    const first = only(folder);
    const long = new Date(2020, 1, 1);
    utimesSync(first, long, long);
    await used(folder, 2, { maxBytes: 1.5 * statSync(first).size });
    expect(existsSync(first)).toBe(false);
    expect(readdirSync(folder)).toHaveLength(1);
  });

  test('one that calls oneDNN is not kept, since XLA would end the process', async () => {
    const folder = newFolder();
    const flags = optionsFor('pjrt:cpu').flags(
      'stablehlo.convolution(%x, %k) dim_numbers = [b, 0, 1, 2, f]x[0, 1, 2, i, o]->[b, 0, 1, 2, f]',
    );
    expect(flags).toEqual({ xla_cpu_experimental_onednn_custom_call: true });
    expect(optionsFor('pjrt:cpu').flags(module(3))).toEqual({});
    expect(await used(folder, 3, { flags: { xla_cpu_experimental_onednn_custom_call: true } })).toMatchObject({
      values: times3,
    });
    expect(existsSync(folder)).toBe(false);
  });

  test('a folder that cannot be written costs a notice, not the step', async () => {
    const folder = newFolder();
    writeFileSync(folder, 'a file');
    const { values, notices } = await used(folder);
    expect(values).toEqual(times3);
    expect(notices).toEqual([
      expect.stringMatching(/^Compiled steps are not kept.*kept is a link or a file, not a folder/),
    ]);
  });

  test('what others may have written is not loaded', async () => {
    const folder = newFolder();
    await used(folder);
    chmodSync(folder, 0o777);
    const { loaded, values, notices } = await used(folder);
    expect({ loaded, values }).toEqual({ loaded: false, values: times3 });
    expect(notices).toEqual([expect.stringContaining('can be written by others (mode 777)')]);
  });
});
