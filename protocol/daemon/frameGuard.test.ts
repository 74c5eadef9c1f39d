import { once } from 'node:events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameError, FrameGuard, frameOf } from './frameGuard.ts';

const frame = (body: string | Buffer, header = `Content-Length: ${Buffer.byteLength(body)}`) =>
  Buffer.concat([Buffer.from(`${header}\r\n\r\n`), Buffer.from(body)]);

const last = { jsonrpc: '2.0', method: 'last' };

/** What passes, before the last message, if bytes arrive in pieces of the given sizes in turn. */
async function pass(bytes: Buffer, pieces: number[], largest = 1000): Promise<{ out: Buffer; error?: Error }> {
  const guard = new FrameGuard(largest, last);
  const out: Buffer[] = [];
  guard.on('data', (data: Buffer) => out.push(data));
  const failed = once(guard, 'error').then(([error]) => error as Error);
  const ended = once(guard, 'end').then(() => undefined);
  ended.catch(() => {});
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = pieces[i % pieces.length]!;
    guard.write(bytes.subarray(at, at + size));
    at += size;
  }
  guard.end();
  const error = await Promise.race([failed, ended]);
  failed.catch(() => {});
  const all = Buffer.concat(out);
  if (error) return { out: all, error };
  const end = Buffer.from(frameOf(last));
  expect(all.subarray(-end.length).equals(end), 'the last word').toBe(true);
  return { out: all.subarray(0, -end.length), error };
}

describe('the guard of frames', () => {
  it('lets whole frames through unchanged, however they are cut', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1 }),
        async (bodies, pieces) => {
          const bytes = Buffer.concat(bodies.map((body) => frame(Buffer.from(body))));
          const { out, error } = await pass(bytes, pieces);
          expect(error).toBeUndefined();
          expect(out.equals(bytes)).toBe(true);
        },
      ),
    ));

  it('passes a frame on when it is whole, and leaves half a frame out', async () => {
    const bytes = Buffer.concat([frame('{}'), frame(''), frame('{"half":1}')]);
    const { out } = await pass(bytes.subarray(0, -1), [9]);
    expect(out.equals(bytes.subarray(0, -frame('{"half":1}').length))).toBe(true);
  });

  it('refuses a frame that is too large by its header, and passes nothing of it on', async () => {
    const first = frame('{}');
    const { out, error } = await pass(Buffer.concat([first, frame('x', `Content-Length: ${2 ** 31}`)]), [7]);
    expect(error).toBeInstanceOf(FrameError);
    expect(error!.message).toMatch(/2147483648 bytes; the maximum is 1000/);
    expect(out.equals(first)).toBe(true);
  });

  it.each([
    ['noise', Buffer.alloc(5000, 0xff)],
    ['a header without a length', frame('{}', 'Content-Type: text')],
    ['a negative length', frame('{}', 'Content-Length: -1')],
    ['a length in hexadecimal', frame('{}', 'Content-Length: 0x10')],
    ['a request of HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')],
  ])('refuses %s', async (_, bytes) => {
    const { out, error } = await pass(bytes, [100]);
    expect(error).toBeInstanceOf(FrameError);
    expect(out.length).toBe(0);
  });

  it('takes other headers beside the length, in any case', async () => {
    const bytes = frame('{}', 'Content-Type: application/vscode-jsonrpc; charset=utf-8\r\ncontent-length: 2');
    expect((await pass(bytes, [3])).out.equals(bytes)).toBe(true);
  });
});
