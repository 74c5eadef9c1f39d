import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Claim, DeviceLedger } from './deviceLedger.ts';

const never = new AbortController().signal;

describe('the ledger of devices', () => {
  it('gives a free device at once, and a busy one when it is free, in the order of asking', () => {
    const ledger = new DeviceLedger();
    const given: string[] = [];
    const ask = (who: string, device = 'cpu') =>
      ledger.claim({ devices: [device], who, whenBusy: 'wait', onHeld: () => given.push(who) });
    const [a, b, c, gpu] = [ask('a'), ask('b'), ask('c'), ask('d', 'cuda:0')];
    expect([a, b, c, gpu].map(({ held }) => held)).toEqual([true, false, false, true]);
    expect([a, b, c].map(({ place }) => place)).toEqual([null, 1, 2]);
    expect(c.inUseBy).toEqual(['a']);
    b.release();
    expect([c.place, given]).toEqual([1, []]);
    a.release();
    a.release();
    expect([c.held, c.place, given]).toEqual([true, null, ['c']]);
  });

  it('serves a claim that was moved at its new place', () => {
    const ledger = new DeviceLedger();
    const given: string[] = [];
    const moved: string[] = [];
    const ask = (who: string, devices = ['cpu']) =>
      ledger.claim({
        ...{ devices, who, whenBusy: 'wait' },
        onHeld: () => given.push(who),
        onMoved: () => moved.push(who),
      });
    const [a, b, c, d] = [ask('a'), ask('b'), ask('c'), ask('d')];
    moved.length = 0;
    d.moveTo(1);
    expect([a, b, c, d].map(({ place }) => place)).toEqual([null, 2, 3, 1]);
    expect(moved.toSorted()).toEqual(['b', 'c', 'd']);
    b.moveTo(99);
    expect([b, c, d].map(({ place }) => place)).toEqual([3, 2, 1]);
    expect([b, c, d].map(({ rank }) => rank)).toEqual([3, 2, 1]);
    a.moveTo(2); // it waits for nothing
    for (const claim of [a, d, c]) claim.release();
    expect(given).toEqual(['d', 'c', 'b']);
    c.moveTo(1);
    expect(c.rank).toBe(-1);
  });

  it('grants a free device to a claim that is moved before the one that could not use it yet', () => {
    const ledger = new DeviceLedger();
    ledger.note(['cuda:0'], 'run');
    const both = ledger.claim({ devices: ['cpu', 'cuda:0'], who: 'both', whenBusy: 'wait' });
    const behind = ledger.claim({ devices: ['cpu'], who: 'behind', whenBusy: 'wait' });
    expect([both.held, behind.held]).toEqual([false, false]);
    behind.moveTo(1);
    expect([both.held, behind.held]).toEqual([false, true]);
  });

  it('names who has a busy device to those who do not want to wait', () => {
    const ledger = new DeviceLedger();
    ledger.note(['cpu'], 'chest-1');
    const refuse = () => ledger.claim({ devices: ['cpu'], who: 'embed of x', whenBusy: 'refuse' });
    expect(refuse).toThrow(/cpu is not free, in use by chest-1\n.*--now/);
    expect(refuse).toThrow(); // the refused claim left nothing waiting
    expect(ledger.claim({ devices: ['cpu'], who: 'next', whenBusy: 'wait' }).place).toBe(1);
  });

  it('ends idle work as soon as anyone else claims its device, and never before', () => {
    const ledger = new DeviceLedger();
    const ended: string[] = [];
    const claim = (who: string, device = 'cpu', reuses?: string) =>
      ledger.claim({ devices: [device], who, whenBusy: 'refuse', ...(reuses !== undefined && { reuses }) });
    ledger.lend(['cpu'], 'network', () => ended.push('first'));
    claim('run', 'cuda:0').release();
    const again = claim('again', 'cpu', 'network');
    expect(ended).toEqual([]);
    again.release();
    const run = claim('run');
    expect([run.held, ended]).toEqual([true, ['first']]);
    ledger.lend(['cpu'], 'network', () => ended.push('second')); // the run has the device
    expect(ended).toEqual(['first', 'second']);
    run.release();
    ledger.lend(['cpu'], 'network', () => ended.push('third'))();
    claim('run').release(); // it was taken back
    expect(ended).toEqual(['first', 'second']);
  });

  it('shares a device on request; those who wait, wait for the sharers too', () => {
    const ledger = new DeviceLedger();
    const run = ledger.note(['cpu'], 'run');
    const shared = ledger.claim({ devices: ['cpu'], who: 'embed', whenBusy: 'share' });
    expect(shared.held).toBe(true);
    const waiting = ledger.claim({ devices: ['cpu'], who: 'later', whenBusy: 'wait' });
    run.release();
    expect([waiting.held, waiting.inUseBy]).toEqual([false, ['embed']]);
    shared.release();
    expect(waiting.held).toBe(true);
  });

  it('tells a job what it waits for at each change; a cancelled job leaves the queue', async () => {
    const ledger = new DeviceLedger();
    const [a, b] = [ledger.note(['cpu'], 'a'), ledger.note(['cpu'], 'b')];
    const told: string[] = [];
    const cancel = new AbortController();
    const taking = ledger.take(
      { devices: ['cpu'], who: 'embed', whenBusy: 'wait' },
      { signal: cancel.signal, onWaiting: (users) => told.push(users.join()) },
    );
    a.release();
    cancel.abort();
    await expect(taking).rejects.toMatchObject({ code: 'interrupted' });
    expect(told).toEqual(['a,b', 'b']);
    b.release();
    const next = await ledger.take({ devices: ['cpu'], who: 'next', whenBusy: 'refuse' }, { signal: never });
    next.release();
    await expect(
      ledger.take({ devices: ['cpu'], who: 'late', whenBusy: 'wait' }, { signal: AbortSignal.abort() }),
    ).rejects.toMatchObject({ code: 'interrupted' });
    expect(ledger.note(['cpu'], 'last').inUseBy).toEqual([]);
  });

  it('never gives a device twice, and forgets nobody, whatever is asked and released in whatever order', () => {
    const devices = fc.subarray(['cpu', 'cuda:0', 'cuda:1'], { minLength: 1 });
    const act = fc.oneof(
      devices.map((d) => ({ ask: d })),
      fc.nat(20).map((n) => ({ release: n })),
      fc.tuple(fc.nat(20), fc.integer({ min: 1, max: 9 })).map(([move, to]) => ({ move, to })),
    );
    fc.assert(
      fc.property(fc.array(act, { maxLength: 60 }), fc.integer({ min: 1, max: 2 }), (acts, perDevice) => {
        const ledger = new DeviceLedger(perDevice);
        const live: { claim: Claim; devices: string[] }[] = [];
        const check = () => {
          for (const device of ['cpu', 'cuda:0', 'cuda:1'])
            expect(live.filter((e) => e.claim.held && e.devices.includes(device)).length).toBeLessThanOrEqual(
              perDevice,
            );
        };
        for (const [i, one] of acts.entries()) {
          if ('ask' in one)
            live.push({ devices: one.ask, claim: ledger.claim({ devices: one.ask, who: `${i}`, whenBusy: 'wait' }) });
          else if ('move' in one) live[one.move]?.claim.moveTo(one.to);
          else live.splice(one.release, 1)[0]?.claim.release();
          check();
        }
        // Once the holders release, every waiting claim gets its turn.
        for (let n = live.length; n > 0; n--) {
          const holding = live.findIndex((entry) => entry.claim.held);
          expect(holding).toBeGreaterThanOrEqual(0);
          live.splice(holding, 1)[0]?.claim.release();
        }
      }),
    );
  });
});
