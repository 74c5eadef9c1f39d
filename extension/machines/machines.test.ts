import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hostsInSshConfig } from '../../machines/sshConfig.ts';
import type { MachineStatus } from '../../protocol/daemon/messages.ts';
import { addressOf, parseAddress } from '../../protocol/machines/address.ts';
import { addressed, addressedAnswer, routed } from './addressed.ts';
import { describeMachine, retiredRows, rowsOf } from './describeMachine.ts';

describe('a run is known by machine and folder', () => {
  it('any machine and path come back from an address', () => {
    const host = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._@:%-]{0,20}$/);
    const path = fc.string({ maxLength: 30 }).map((text) => `/${text}`);
    fc.assert(
      fc.property(host, path, (machine, folder) => {
        expect(parseAddress(addressOf(machine, folder))).toEqual({ machine, path: folder });
        expect(parseAddress(addressOf(undefined, folder))).toEqual({ machine: undefined, path: folder });
      }),
    );
  });
  it('a request goes to the machine of its run, with paths of that machine', () => {
    expect(routed({ run: 'unimiss://gpu1/runs/a', wait: true })).toEqual({
      machine: 'gpu1',
      params: { run: '/runs/a', wait: true },
    });
    const runs = ['unimiss://gpu1/runs/a', 'unimiss://gpu1/runs/b'];
    expect(routed({ runs, most: 50 })).toEqual({ machine: 'gpu1', params: { runs: ['/runs/a', '/runs/b'], most: 50 } });
    expect(routed({ run: '/runs/a' })).toEqual({ machine: undefined, params: { run: '/runs/a' } });
    expect(routed({})).toEqual({ machine: undefined, params: {} });
  });
  it('refuses runs of several machines', () => {
    expect(() => routed({ runs: ['unimiss://gpu1/runs/a', '/runs/b'] })).toThrow(/these runs are on 2 machines/);
    expect(() => routed({ runs: ['unimiss://gpu1/a', 'unimiss://gpu2/a'] })).toThrow(/Choose runs on the same machine/);
  });
  it('answers about a run carry its address; others stay', () => {
    const run = { folder: '/runs/a', from: '/runs/b/checkpoints/c.safetensors', task: 'finetune', activity: null };
    expect(addressedAnswer('gpu1', run)).toMatchObject({
      folder: 'unimiss://gpu1/runs/a',
      from: 'unimiss://gpu1/runs/b/checkpoints/c.safetensors',
    });
    expect(addressedAnswer('gpu1', { file: '/x' })).toEqual({ file: '/x' });
    expect(addressed(undefined, run)).toBe(run);
  });
});

const GiB = 2 ** 30;
const status: MachineStatus = {
  hostname: 'gpu1',
  cpus: { count: 64, load: 3.21 },
  memory: { available: 100 * GiB, total: 512 * GiB },
  disk: { free: GiB, total: 1000 * GiB },
  gpus: [
    {
      index: 0,
      name: 'NVIDIA H100',
      use: 0.371,
      memory: { used: 12 * GiB, total: 80 * GiB },
      temperature: 41,
      holders: [],
    },
    {
      ...{ index: 1, name: 'NVIDIA H100', use: 0.99, memory: null, temperature: null },
      holders: [
        { pid: 7, user: 'me', program: 'node', run: 'chest-1', memory: 4 * GiB },
        { pid: 8, user: null, program: 'python3', run: null, memory: null },
      ],
    },
  ],
  noGpu: null,
  runs: [{ id: 'chest-1', activity: 'training', devices: ['cuda:1'] }],
};

describe('a machine in words', () => {
  const connected = { kind: 'connected', pid: 1, version: '0.1.0', runsRoot: '/r' } as const;
  it('says its state, its busiest GPU, and who uses them', () => {
    expect(describeMachine(connected, status)).toBe('busiest of 2 GPUs 99 % · used by me, unknown');
    expect(describeMachine(connected, { ...status, gpus: status.gpus.slice(0, 1) })).toBe(
      'GPU 37 % · 12.0 GiB of 80.0 GiB · 41 °C',
    );
    expect(describeMachine(connected, { ...status, gpus: [] })).toBe('no GPU · load 3.2 of 64');
    expect(describeMachine({ kind: 'connecting', again: true }, undefined)).toBe('reconnecting; its runs continue');
    expect(describeMachine({ kind: 'idle' }, undefined)).toBe('not connected');
  });
  it('has a row for each GPU with what holds it, and the rest of the machine', () => {
    const rows = rowsOf(status);
    expect(rows.map(({ label, description }) => `${label}: ${description}`)).toEqual([
      'GPU 0: NVIDIA H100: 37 % · 12.0 GiB of 80.0 GiB · 41 °C',
      'GPU 1: NVIDIA H100: 99 %',
      'Processors: load 3.2 of 64',
      'Memory: 100 GiB of 512 GiB free',
      'Disk of runs: 1.0 GiB of 1000 GiB free',
      'chest-1: training · cuda:1',
    ]);
    expect(rows[1]?.below.map(({ label, description }) => `${label}: ${description}`)).toEqual([
      'chest-1: me · 4.0 GiB',
      'python3, process 8: unknown user',
    ]);
    expect(rowsOf({ ...status, gpus: [], noGpu: 'nvidia-smi was not found' })[0]).toMatchObject({
      label: 'No GPU',
      description: 'nvidia-smi was not found',
    });
  });
});

it('shows a daemon of another version that stays for its runs', () => {
  expect(retiredRows([{ pid: 7, version: '0.0.9', runs: ['/r/chest-1', '/r/chest-2'] }])).toMatchObject([
    {
      label: 'Background server 0.0.9, process 7',
      description: 'stays until 2 runs end',
      below: [{ label: 'chest-1', description: '/r/chest-1' }, { label: 'chest-2' }],
    },
  ]);
});

it('offers the hosts of an SSH configuration, without patterns', () => {
  const text = [
    'Host gpu1 gpu2 # the new ones',
    '  HostName 10.0.0.1',
    'Host *.example !bad "quoted"',
    'host=old',
    'Host *',
    'Match host gpu3',
    'Host gpu1 -oProxyCommand=id',
  ].join('\n');
  expect(hostsInSshConfig(text)).toEqual(['gpu1', 'gpu2', 'quoted', 'old']);
});
