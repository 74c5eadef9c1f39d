import { expect, it } from 'vitest';
import { daemonLost } from './daemonLost.ts';

const loss = { id: 'chest-1', started: true, stopped: false, deaths: 4, log: '/run/daemon.log' };

it('says whether the daemon was stopped, kept dying, or never started the run, each with what to do', () => {
  expect(daemonLost('lost', loss).message).toMatch(/died 4 times in a row[\s\S]*\/run\/daemon\.log[\s\S]*unimiss runs/);
  expect(daemonLost('lost', { ...loss, stopped: true, deaths: 1 }).message).toMatch(
    /was stopped; the run continues without it[\s\S]*unimiss logs -f chest-1/,
  );
  expect(daemonLost('lost', { ...loss, started: false, deaths: 0 }).message).toMatch(
    /died before it started the run[\s\S]*unimiss resume chest-1/,
  );
});
