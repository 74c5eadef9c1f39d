import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import * as tf from '@tensorflow/tfjs-core';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testEngine } from '../../test/engine.ts';
import type { CompiledStep, Engine, Executor } from './index.ts';

/** The engine in a process: the event loop while a step runs, and the ways in which a process can end. */

let engine: Engine;
beforeAll(async () => {
  engine = await testEngine();
});

/** `products` matrix products of 1024×1024, one after the other. */
function products(executor: Executor, count: number): CompiledStep<'x', 'y'> {
  return engine.compile({
    name: 'products',
    inputs: { x: { shape: [1024, 1024] } },
    executor,
    body: ({ x }) => {
      let y = x as tf.Tensor2D;
      for (let i = 0; i < count; i++) y = tf.matMul(y, x as tf.Tensor2D);
      return { y };
    },
  });
}

/** Pings this thread from another one; each ping follows the answer to the last. @returns the slowest answer in ms */
async function slowestAnswer(during: () => Promise<void>): Promise<{ slowest: number; answers: number }> {
  const worker = new Worker(
    `const { parentPort } = require('node:worker_threads');
     let sent = 0, slowest = 0, answers = 0;
     const ping = () => { sent = performance.now(); parentPort.postMessage('ping'); };
     parentPort.on('message', (message) => {
       slowest = Math.max(slowest, performance.now() - sent);
       answers++;
       if (message === 'stop') parentPort.close(parentPort.postMessage({ slowest, answers }));
       else setTimeout(ping, 5);
     });
     ping();`,
    { eval: true },
  );
  let stop = false;
  const result = new Promise<{ slowest: number; answers: number }>((resolve, reject) => {
    worker.on('error', reject);
    worker.on('message', (message) => {
      if (message === 'ping') worker.postMessage(stop ? 'stop' : 'pong');
      else resolve(message);
    });
  });
  await during();
  stop = true;
  return result;
}

describe('the event loop', () => {
  it.each<Executor>(['graph', 'xla'])(
    'answers within 100 ms while a step runs for over a second (%s)',
    { retry: 2 }, // a busy machine may delay this thread; a loop that a step blocks is never free
    async (executor) => {
      const x = new Float32Array(1024 * 1024).fill(1 / 1024);
      const short = products(executor, 8);
      await short.run({ x });
      let began = performance.now();
      await short.run({ x });
      const count = Math.ceil((8 * 2000) / (performance.now() - began));
      const long = products(executor, Math.min(Math.max(count, 8), 2000));
      let took = 0;
      const { slowest, answers } = await slowestAnswer(async () => {
        began = performance.now();
        const { y } = await long.run({ x });
        took = performance.now() - began;
        expect(y[0]).toBeCloseTo(1 / 1024, 6);
      });
      expect(took).toBeGreaterThan(1000);
      expect(answers).toBeGreaterThan(10);
      expect(slowest).toBeLessThan(100);
      short.dispose();
      long.dispose();
    },
  );
});

describe('a process', () => {
  let folder: string;
  beforeAll(async () => {
    // Inside node_modules, so that the bundle finds its external packages.
    await mkdir('node_modules/.cache', { recursive: true });
    folder = await mkdtemp(join('node_modules', '.cache', 'engine-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  /** Bundles a script like the daemon and runs it. @returns the exit code, or the signal that ended it, and its output */
  async function run(body: string, before = ''): Promise<{ end: number | string; out: string; err: string }> {
    const file = join(folder, `${Math.random().toString(36).slice(2)}.mjs`);
    await writeFile(join(folder, 'before.cjs'), before);
    await build({
      stdin: {
        contents: `import * as tf from '@tensorflow/tfjs-core';
          import { openEngine } from './daemon/engine/index.ts';
          import { rawOp } from './daemon/engine/rawOp.ts';
          const engine = await openEngine(${JSON.stringify({ library: engine.options.library, device: 'cpu' })});
          ${body}`,
        resolveDir: process.cwd(),
        loader: 'ts',
      },
      outfile: file,
      bundle: true,
      platform: 'node',
      format: 'esm',
      packages: 'external',
      logLevel: 'error',
    });
    const { TF_CPP_MIN_LOG_LEVEL: _, ...env } = process.env;
    const child = spawn(process.execPath, ['--require', `./${join(folder, 'before.cjs')}`, file], { env });
    let out = '';
    let err = '';
    child.stdout.on('data', (data) => {
      out += data;
    });
    child.stderr.on('data', (data) => {
      err += data;
    });
    const end = await new Promise<number | string>((resolve) =>
      child.on('close', (code, signal) => resolve(code ?? (signal as string))),
    );
    return { end, out, err };
  }

  const step = `const step = engine.compile({
    name: 'long', inputs: { x: { shape: [512, 512] } }, executor: 'graph',
    body: ({ x }) => { let y = x; for (let i = 0; i < 200; i++) y = tf.tanh(tf.matMul(y, x)); return { y }; },
  });
  const x = new Float32Array(512 * 512).fill(0.001);`;

  it('that opens an engine prints nothing and exits with 0', async () => {
    expect(await run('console.log(engine.tensor(Float32Array.of(7), []).dataSync()[0]);')).toEqual({
      end: 0,
      out: '7\n',
      err: '',
    });
  });

  it('waits for a step that nobody awaits', async () => {
    expect(await run(`${step} step.run({ x }).then(() => console.log('done'));`)).toEqual({
      end: 0,
      out: 'done\n',
      err: '',
    });
  });

  it('can be ended while a step runs', async () => {
    const { end } = await run(`${step} step.run({ x }); setImmediate(() => process.exit(3));`);
    expect(end).toBe(3);
  });

  it('reports an error while a step runs', async () => {
    const { end, err } = await run(`${step} step.run({ x }); setImmediate(() => { throw new Error('of my own'); });`);
    expect(end).toBe(1);
    expect(err).toContain('Error: of my own');
  });

  it('may be a Node without the old functions of node:util', async () => {
    const before = `const util = require('node:util'); delete util.isArray; delete util.isNullOrUndefined;`;
    expect(await run('console.log(tf.topk([1, 3, 2], 1).values.dataSync()[0]);', before)).toEqual({
      end: 0,
      out: '3\n',
      err: '',
    });
  });

  it('may switch TensorFloat-32 off', async () => {
    const { out } = await run(`
      import { koffi } from './daemon/native/native.ts';
      const enabled = koffi.load(engine.options.library + '/libtensorflow_framework.so.2')
        .func('bool _ZN3tsl33tensor_float_32_execution_enabledEv()');
      console.log(enabled());
      engine.platform.c.setTensorFloat32(false);
      console.log(enabled());`);
    expect(out).toBe('true\nfalse\n');
  });

  it('a missing or wrong TensorFlow gets a sentence', async () => {
    const { out } = await run(`
      import { loadCApi } from './daemon/engine/tensorflow/cApi.ts';
      import { writeFileSync } from 'node:fs';
      const say = (f) => { try { f(); } catch (error) { console.log(error.code, error.message.replaceAll('\\n', ' ')); } };
      say(() => loadCApi('/nowhere'));
      for (const name of ['libtensorflow_framework.so.2', 'libtensorflow_cc.so.2']) writeFileSync('${folder}/' + name, 'no library');
      say(() => loadCApi('${folder}'));`);
    expect(out.split('\n')[0]).toMatch(
      /^engine \/nowhere: TensorFlow's libtensorflow_framework.so.2 is missing .*Run "unimiss engine install"/,
    );
    expect(out.split('\n')[1]).toMatch(/^engine .*: TensorFlow cannot be loaded: .*Run "unimiss engine doctor"/);
  });
});
