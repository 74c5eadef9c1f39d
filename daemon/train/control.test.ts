import { expect, test } from 'vitest';
import { TrainingControl } from './control.ts';

/** A control, and its reports of being held. */
function control() {
  const held: boolean[] = [];
  return { control: new TrainingControl((now) => held.push(now)), held };
}

test('a pause is reported after the step has ended, not at the request', async () => {
  const { control: it, held } = control();
  it.pause();
  expect(held).toEqual([]);
  const proceeding = it.proceed();
  expect(held).toEqual([true]);
  it.resume();
  await proceeding;
  expect(held).toEqual([true, false]);
});

test('a pause that is cancelled before the end of the step has no effect', async () => {
  const { control: it, held } = control();
  it.pause();
  it.resume();
  await it.proceed();
  expect(held).toEqual([]);
});

test('a stop ends a pause', async () => {
  const { control: it, held } = control();
  it.pause();
  const proceeding = it.proceed();
  it.stop({ by: 'client' });
  await proceeding;
  expect(held).toEqual([true, false]);
  await it.proceed();
  expect(held).toHaveLength(2);
});

test('the first that asks for a stop is the one that is named', () => {
  const causes: unknown[] = [];
  const it = new TrainingControl(undefined, (cause) => causes.push(cause));
  expect(it.stopCause).toBeUndefined();
  it.stop({ by: 'signal', signal: 'SIGTERM' });
  it.stop({ by: 'client' });
  expect(it.stopCause).toEqual({ by: 'signal', signal: 'SIGTERM' });
  expect(causes).toEqual([{ by: 'signal', signal: 'SIGTERM' }]);
});
