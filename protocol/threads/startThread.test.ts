import { once } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { afterEach, expect, it } from 'vitest';
import { startThread } from './startThread.ts';

const supported = '%IsConcurrentRecompilationSupported()';

afterEach(() => setFlagsFromString('--no-allow-natives-syntax'));

it.skipIf(Number(process.versions.node.split('.')[0]) >= 24)(
  'a thread optimises nothing in the background: Node would abort if the thread ended meanwhile',
  async () => {
    setFlagsFromString('--allow-natives-syntax');
    const code = `require('node:worker_threads').parentPort.postMessage(${supported})`;
    const thread = startThread(code, { eval: true });
    const [inThread] = (await once(thread, 'message')) as [boolean];
    await thread.terminate();
    expect(inThread).toBe(false);
    expect(new Function(`return ${supported}`)()).toBe(true);
  },
);
