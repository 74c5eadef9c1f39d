import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { noSshd, Sshd } from './sshd.ts';

// Several processes start on each side.
vi.setConfig({ testTimeout: 180_000 });

const run = promisify(execFile);

describe.skipIf(noSshd)('unimiss --machine', () => {
  let sshd: Sshd;
  beforeAll(async () => {
    sshd = await Sshd.start();
  });
  afterAll(async () => {
    await sshd?.stop();
  });
  const unimiss = (...args: string[]) =>
    run(process.execPath, [resolve('dist/daemon/main.js'), ...args], { env: sshd.env, cwd: sshd.folder }).then(
      ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
      (error: { code: number; stdout: string; stderr: string }) => error,
    );

  it('runs a command there, by the way of the editor: first it brings the daemon of its version', async () => {
    // What login scripts print is no result.
    writeFileSync(join(sshd.users[0].home, '.bashrc'), 'echo Welcome\n');
    const { code, stdout, stderr } = await unimiss('--machine', 'gpu-a', 'runs');
    expect(stderr).toContain('Examining gpu-a');
    expect([code, stdout]).toEqual([
      0,
      `No runs in ${sshd.users[0].home}/unimiss-runs. Start one with "unimiss pretrain".\n`,
    ]);
    expect(readdirSync(join(sshd.users[0].home, '.local/share/unimiss/daemon'))).toHaveLength(1);
    const again = await unimiss('--machine=gpu-a', '--json', 'runs');
    expect(again).toMatchObject({ code: 0, stdout: '' });
    expect(again.stderr).not.toContain('Examining');
  });

  it('takes along the configuration that it names; its relative paths start in the home there', async () => {
    const pictures = join(sshd.users[0].home, 'pictures');
    mkdirSync(pictures);
    await run('cp', ['-r', `${sshd.images}/.`, pictures]);
    await run('chown', ['-R', sshd.users[0].name, pictures]);
    const text = `{ // it's of this machine\n  "name": "far", "data": { "paths": ["pictures"] }, "model": { "preset": "nano" } }`;
    writeFileSync(join(sshd.folder, 'my own.unimiss.jsonc'), text);
    const args = ['pretrain', 'my own.unimiss.jsonc', '--set', 'train.epochs=2', '--dry-run'];
    const { code, stdout } = await unimiss('--machine', 'gpu-a', '--json', ...args);
    expect(code).toBe(0);
    expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).toMatchObject({
      config: { data: { paths: [pictures] }, train: { epochs: 2 } },
    });
  });

  it('ends with the exit code of the command, or says why the machine cannot be reached', async () => {
    expect(await unimiss('--machine', 'gpu-a', 'logs', 'none')).toMatchObject({
      code: (await unimiss('logs', 'none', '--runs', sshd.folder)).code,
      stderr: expect.stringContaining('none'),
    });
    expect((await unimiss('--machine', '-x', 'runs')).stderr).toMatch(/"-x" is no name of a host/);
    expect((await unimiss('--machine', 'nowhere.invalid', 'runs')).stderr).toMatch(/nowhere\.invalid/);
  });
});
