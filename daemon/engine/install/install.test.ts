import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { findEngine } from './find.ts';
import {
  type FakeWheel,
  fakeElf,
  fakePip,
  fakeRelease,
  fakeWheel,
  goodHost,
  rejection,
  type Sandbox,
  sandbox,
  sha256,
  tensorflowWheel,
  tinyFileSystem,
} from './fixtures.ts';
import { type InstallOptions, type InstallProgress, installEngine } from './install.ts';

const install = (box: Sandbox, wheels: FakeWheel[], options: InstallOptions = {}) =>
  installEngine({ env: box.env, host: goodHost, release: fakeRelease(...wheels), ...options });

const engine = (box: Sandbox): string => join(box.cache, 'engine', '9.9.9-cpu');

describe('an installation', () => {
  test('unpacks what is needed, with a manifest and nothing left over', async () => {
    const box = sandbox();
    const wheel = tensorflowWheel();
    fakePip(box, [wheel]);
    const progress: InstallProgress[] = [];
    const found = await install(box, [wheel], { onProgress: (each) => progress.push(each) });

    expect(found).toMatchObject({ origin: 'cache', version: '9.9.9', device: 'cpu' });
    expect(readFileSync(found.cc)).toEqual(fakeElf(62, 40_000));
    expect(readFileSync(found.framework)).toEqual(fakeElf(62, 10_000));
    expect(readdirSync(found.folder).sort()).toEqual(['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2']);
    expect(readFileSync(join(engine(box), 'licenses/tensorflow-cpu/LICENSE'), 'utf8')).toBe('the licence');
    const manifest = JSON.parse(readFileSync(join(engine(box), 'manifest.json'), 'utf8'));
    expect(manifest).toMatchObject({ format: 1, version: '9.9.9', device: 'cpu', arch: 'x64' });
    expect(manifest.wheels).toEqual([{ name: 'tensorflow-cpu', version: '9.9.9', sha256: wheel.pin.sha256 }]);
    expect(manifest.files).toContainEqual({
      path: 'tensorflow/libtensorflow_cc.so.2',
      bytes: 40_000,
      sha256: sha256(fakeElf(62, 40_000)),
    });
    expect(readdirSync(join(box.cache, 'engine')).sort()).toEqual(['9.9.9-cpu', '9.9.9-cpu.lock']);
    expect([...new Set(progress.map((each) => each.stage))]).toEqual(['download', 'unpack', 'done']);
    for (const { done, total } of progress) expect(done ?? 0).toBeLessThanOrEqual(total ?? 0);
  });

  test('asks pip for exactly the pinned file, and for no index by address', async () => {
    const box = sandbox();
    const wheel = tensorflowWheel();
    const pip = fakePip(box, [wheel]);
    await install(box, [wheel]);
    const [args] = pip.calls();
    expect(args).toEqual(expect.arrayContaining(['download', '--no-deps', '--only-binary=:all:', '--require-hashes']));
    expect(args!.at(-1)).toBe(`tensorflow-cpu==9.9.9 --hash=sha256:${wheel.pin.sha256}`);
    expect(args!.join(' ')).not.toMatch(/--index|--extra-index|--find-links|:\/\//);
  });

  test('is not repeated: the second call starts no pip', async () => {
    const box = sandbox();
    const wheel = tensorflowWheel();
    const pip = fakePip(box, [wheel]);
    const first = await install(box, [wheel]);
    expect(await install(box, [wheel])).toEqual(first);
    expect(pip.calls()).toHaveLength(1);
  });

  test('replaces a damaged one', async () => {
    const box = sandbox();
    const wheel = tensorflowWheel();
    fakePip(box, [wheel]);
    const { cc } = await install(box, [wheel]);
    truncateSync(cc, 100);
    await install(box, [wheel]);
    expect(readFileSync(cc)).toEqual(fakeElf(62, 40_000));
    writeFileSync(cc, Buffer.alloc(40_000)); // of the right size
    await install(box, [wheel]);
    expect(readFileSync(cc)).toEqual(fakeElf(62, 40_000));
  });

  test('replaces one whose manifest is not readable', async () => {
    const box = sandbox();
    const wheel = tensorflowWheel();
    fakePip(box, [wheel]);
    await install(box, [wheel]);
    writeFileSync(join(engine(box), 'manifest.json'), '{"format":');
    const { cc } = await install(box, [wheel]);
    expect(existsSync(cc)).toBe(true);
    expect(JSON.parse(readFileSync(join(engine(box), 'manifest.json'), 'utf8')).format).toBe(1);
  });
});

describe('two at once', () => {
  test('the second waits, says so and uses what the first installed', async () => {
    const box = sandbox();
    const wheel = tensorflowWheel();
    const pip = fakePip(box, [wheel]);
    const progress: InstallProgress[] = [];
    const options = { onProgress: (each: InstallProgress) => void progress.push(each) };
    const [a, b] = await Promise.all([install(box, [wheel], options), install(box, [wheel], options)]);
    expect(a).toEqual(b);
    expect(pip.calls()).toHaveLength(1);
    expect(progress.filter((each) => each.stage === 'wait')).toHaveLength(1);
  });

  test('another process keeps the lock while it lives, and not when it is killed', async () => {
    const box = sandbox();
    const wheel = tensorflowWheel();
    fakePip(box, [wheel]);
    mkdirSync(join(box.cache, 'engine'), { recursive: true });
    const script = `const koffi = require('koffi'), fs = require('node:fs');
      const fd = fs.openSync(${JSON.stringify(`${engine(box)}.lock`)}, 'a');
      koffi.load('libc.so.6').func('int flock(int, int)')(fd, 2);
      fs.writeSync(fd, JSON.stringify({ pid: process.pid }));
      console.log('locked');
      setInterval(() => {}, 1000);`;
    const owner = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void owner.kill('SIGKILL'));
    await once(owner.stdout, 'data');
    const messages: string[] = [];
    await install(box, [wheel], {
      onProgress: (each) => {
        messages.push(each.message);
        if (each.stage === 'wait') owner.kill('SIGKILL');
      },
    });
    expect(messages[0]).toBe(`Waiting for another installation (process ${owner.pid})`);
    expect(existsSync(engine(box))).toBe(true);
  });

  test('waiting can be stopped', async () => {
    const box = sandbox();
    const wheel = tensorflowWheel();
    // The first pip ends only after the second installation has stopped.
    const go = join(box.folder, 'go');
    fakePip(box, [wheel], { before: `while (!fs.existsSync(${JSON.stringify(go)})) {}` });
    const stop = new AbortController();
    const first = install(box, [wheel]);
    const onProgress = (each: InstallProgress): void => {
      if (each.stage === 'wait') stop.abort();
    };
    const error = await rejection(
      (async () => {
        // Only the installation that finds the lock taken reports waiting.
        await expect.poll(() => existsSync(`${engine(box)}.lock`)).toBe(true);
        await install(box, [wheel], { signal: stop.signal, onProgress });
      })(),
    );
    writeFileSync(go, '');
    expect(error.code).toBe('interrupted');
    await first;
  });
});

describe('after an interruption', () => {
  const nccl = (): FakeWheel => fakeWheel('nvidia-nccl-cu12', { 'nvidia/nccl/lib/libnccl.so.2': fakeElf() });

  test('a complete wheel is kept and only the rest is fetched', async () => {
    const box = sandbox();
    const wheels = [tensorflowWheel(), nccl()];
    const failing = fakePip(box, wheels, {
      before: `if (name.startsWith('nvidia')) fail('Connection reset by peer');`,
    });
    expect((await rejection(install(box, wheels))).message).toContain('nvidia-nccl-cu12 9.9.9');
    expect(failing.calls()).toHaveLength(2);
    expect(existsSync(engine(box))).toBe(false);
    const pip = fakePip(box, wheels);
    await install(box, wheels);
    expect(pip.calls().length - 2).toBe(1);
    expect(pip.calls().at(-1)!.at(-1)).toContain('nvidia-nccl-cu12');
    expect(existsSync(join(engine(box), 'nvidia/nccl/lib/libnccl.so.2'))).toBe(true);
  });

  test('leftovers of a killed attempt are removed', async () => {
    const box = sandbox();
    const wheel = tensorflowWheel();
    fakePip(box, [wheel]);
    const partial = `${engine(box)}.partial`;
    mkdirSync(join(partial, 'unpacked', 'tensorflow'), { recursive: true });
    writeFileSync(join(partial, 'unpacked', 'tensorflow', 'libtensorflow_cc.so.2'), 'half');
    mkdirSync(join(partial, 'pip-abc'));
    writeFileSync(join(partial, 'tensorflow-cpu.whl'), wheel.data.slice(0, 1000));
    const { cc } = await install(box, [wheel]);
    expect(readFileSync(cc)).toEqual(fakeElf(62, 40_000));
    expect(existsSync(partial)).toBe(false);
  });

  test('stopping ends pip, and the next call succeeds', async () => {
    const box = sandbox();
    const wheel = tensorflowWheel();
    const pidFile = join(box.folder, 'pid');
    fakePip(box, [wheel], {
      before: `fs.writeFileSync(path.join(out, 'part.whl'), 'x'); fs.writeFileSync(${JSON.stringify(pidFile)}, String(process.pid));
        setInterval(() => {}, 1000); return;`,
    });
    const stop = new AbortController();
    const running = rejection(install(box, [wheel], { signal: stop.signal }));
    await expect
      .poll(() => existsSync(pidFile) && readFileSync(pidFile, 'utf8') !== '', { timeout: 10_000 })
      .toBe(true);
    stop.abort();
    expect(await running).toMatchObject({ code: 'interrupted' });
    expect(() => process.kill(Number(readFileSync(pidFile, 'utf8')), 0)).toThrow('ESRCH');
    fakePip(box, [wheel]);
    await install(box, [wheel]);
    expect(existsSync(engine(box))).toBe(true);
  });
});

describe('what cannot work is refused, with the remedy', () => {
  test('a file other than the pinned one is not installed', async () => {
    const box = sandbox();
    const wheel = tensorflowWheel();
    fakePip(box, [fakeWheel('tensorflow-cpu', { 'tensorflow/libtensorflow_cc.so.2': fakeElf() })]);
    const error = await rejection(install(box, [wheel]));
    expect(error).toMatchObject({ code: 'engine' });
    expect(error.message).toMatch(/is damaged.*\n.*again/);
    expect(existsSync(engine(box))).toBe(false);
    expect(await findEngine({ env: box.env })).toBeUndefined();
  });

  test('a wheel without the libraries', async () => {
    const box = sandbox();
    const wheel = fakeWheel('tensorflow-cpu', { 'tensorflow/libtensorflow_cc.so.2': fakeElf() });
    fakePip(box, [wheel]);
    expect((await rejection(install(box, [wheel]))).message).toContain('tensorflow/libtensorflow_framework.so.2');
    expect(existsSync(engine(box))).toBe(false);
  });

  test('no pip', async () => {
    const box = sandbox();
    const error = await rejection(install(box, [tensorflowWheel()]));
    expect(error).toMatchObject({ code: 'engine' });
    expect(error.message).toMatch(/pip was not found.*\n.*apt install python3-pip/);
  });

  test('no network', async () => {
    const box = sandbox();
    const wheel = tensorflowWheel();
    fakePip(box, [wheel], {
      before: `fail("WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError': Temporary failure in name resolution\\nERROR: No matching distribution found for tensorflow-cpu==9.9.9");`,
    });
    const error = await rejection(install(box, [wheel]));
    expect(error.message).toMatch(/cannot reach a package index.*\n.*PIP_FIND_LINKS/);
  });

  test('too little disk is seen before anything is fetched', async (context) => {
    const disk = tinyFileSystem('1m');
    if (!disk) return context.skip('may not mount a small file system');
    const box = sandbox(join(disk.folder, 'cache'));
    const wheel = tensorflowWheel();
    wheel.pin.unpackedBytes = 5_000_000;
    const pip = fakePip(box, [wheel]);
    const error = await rejection(install(box, [wheel]));
    expect(error).toMatchObject({ code: 'disk' });
    expect(error.message).toMatch(/needs 4\.9 MiB; \S+ (KiB|B) are free\n.*UNIMISS_CACHE/);
    expect(pip.calls()).toHaveLength(0);
  });

  test('a disk that becomes full while unpacking', async (context) => {
    const disk = tinyFileSystem('1m');
    if (!disk) return context.skip('may not mount a small file system');
    const box = sandbox(join(disk.folder, 'cache'));
    const wheel = fakeWheel('tensorflow-cpu', { 'tensorflow/libtensorflow_cc.so.2': new Uint8Array(3_000_000) });
    wheel.pin.unpackedBytes = 1000;
    fakePip(box, [wheel]);
    const error = await rejection(install(box, [wheel]));
    expect(error).toMatchObject({ code: 'disk' });
    expect(error.message).toMatch(/The disk is full\n.*UNIMISS_CACHE/);
    expect(existsSync(engine(box))).toBe(false);
  });

  test('a read-only cache', async () => {
    const disk = tinyFileSystem('1m');
    const box = sandbox(disk?.folder);
    if (disk) disk.remount('ro');
    else {
      // Not as root, so that permissions count.
      mkdirSync(box.cache);
      chmodSync(box.cache, 0o500);
    }
    const error = await rejection(install(box, [tensorflowWheel()]));
    expect(error).toMatchObject({ code: 'disk' });
    expect(error.message).toMatch(/(read-only|No permission to write here)\n.*UNIMISS_CACHE.*UNIMISS_TENSORFLOW/);
  });

  test('uses an engine in a read-only cache', async (context) => {
    const disk = tinyFileSystem('1m');
    if (!disk) return context.skip('may not mount a small file system');
    const box = sandbox(disk.folder);
    const wheel = tensorflowWheel();
    fakePip(box, [wheel]);
    const first = await install(box, [wheel]);
    disk.remount('ro');
    expect(await install(box, [wheel])).toEqual(first);
  });

  test('a file in place of the cache', async () => {
    const box = sandbox();
    writeFileSync(box.cache, '');
    const error = await rejection(install(box, [tensorflowWheel()]));
    expect(error).toMatchObject({ code: 'disk' });
    expect(error.message).toContain('A file exists where');
  });

  test('a cache that is not an absolute path', async () => {
    const box = sandbox('cache');
    const error = await rejection(install(box, [tensorflowWheel()]));
    expect(error.message).toContain('UNIMISS_CACHE: "cache" is not an absolute path');
  });

  test('CUDA without a GPU is an error, or the CPU build where that is allowed', async () => {
    const box = sandbox();
    const wheel = tensorflowWheel();
    fakePip(box, [wheel]);
    box.program(
      'nvidia-smi',
      `console.log("NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver."); process.exit(9);`,
    );
    const error = await rejection(install(box, [wheel], { device: 'cuda' }));
    expect(error.message).toMatch(/couldn't communicate with the NVIDIA driver.*\n.*--allow-cpu/);
    const messages: string[] = [];
    const found = await install(box, [wheel], {
      device: 'cuda',
      allowCpu: true,
      onProgress: (each) => messages.push(each.message),
    });
    expect(found.device).toBe('cpu');
    expect(messages[0]).toMatch(/^Using the CPU: no NVIDIA GPU was found/);
  });
});
