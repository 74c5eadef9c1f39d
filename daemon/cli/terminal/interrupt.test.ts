import { afterEach, expect, it, vi } from 'vitest';
import { onInterrupt } from './interrupt.ts';

afterEach(() => void vi.restoreAllMocks());

it('the first Ctrl-C asks, the second says what becomes of the work and ends the process by the same signal', () => {
  const kill = vi.spyOn(process, 'kill').mockReturnValue(true);
  const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const asked: string[] = [];
  const before = process.listenerCount('SIGINT');
  const interrupt = onInterrupt(
    (signal) => asked.push(signal),
    () => 'Ended at once.',
  );
  process.emit('SIGINT', 'SIGINT');
  expect(asked).toEqual(['SIGINT']);
  expect(kill).not.toHaveBeenCalled();
  process.emit('SIGTERM', 'SIGTERM');
  expect(asked).toEqual(['SIGINT']);
  expect(write.mock.calls.map(([text]) => text)).toEqual(['Ended at once.\n']);
  expect(kill.mock.calls).toEqual([[process.pid, 'SIGTERM']]);
  // Otherwise the signal would come back here.
  expect(process.listenerCount('SIGINT')).toBe(before);
  interrupt.dispose();
});

it('does nothing once it is disposed', () => {
  const before = process.listenerCount('SIGTERM');
  const interrupt = onInterrupt(
    () => expect.fail('it was disposed'),
    () => '',
  );
  expect(process.listenerCount('SIGTERM')).toBe(before + 1);
  interrupt.dispose();
  expect(process.listenerCount('SIGTERM')).toBe(before);
});
