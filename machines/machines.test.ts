import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pack } from './archive.ts';
import { checkHost, hostsOf } from './host.ts';
import { checkFacts, parseFacts } from './probe.ts';
import { encodeCommand } from './runCommand.ts';
import { commandScript, connectScript, linkNode, probeScript, receiveScript, wheelScript } from './scripts.ts';
import { quoted, sshCommand } from './sshCommand.ts';
import { sshError, Unreachable } from './sshErrors.ts';

describe('the names of hosts', () => {
  it.each(['gpu1', 'me@gpu1.lab.example', 'fe80::1%eth0', '10.0.0.7', 'GPU_2'])('%s is one', (host) => {
    expect(checkHost(host)).toBe(host);
  });
  it.each(['-oProxyCommand=id', 'a b', 'a;id', '$(id)', '`id`', 'a/b', 'a\nb', "a'b", '', 'ssh://a', '*', 7, null])(
    '%j is none',
    (host) => {
      expect(() => checkHost(host)).toThrow(/is no name of a host/);
    },
  );
  it('come from the setting once each; what is wrong there is said', () => {
    const { hosts, problems } = hostsOf(['a', 'b', 'a', '-x']);
    expect(hosts).toEqual(['a', 'b']);
    expect(problems.map(({ message }) => message)).toEqual([expect.stringMatching(/^unimiss.machines: "-x" is no/)]);
    expect(hostsOf('a')).toEqual({ hosts: [], problems: [] });
  });
});

describe('the command', () => {
  it('runs the script with the user’s ssh: without terminal and forwards, with a line that is watched', () => {
    const { file, args, env } = sshCommand('gpu1', 'echo "a b"', { asking: 'nobody', platform: 'linux', env: {} });
    expect(file).toBe('ssh');
    expect(args[0]).toBe('-T');
    expect(args).toEqual(
      expect.arrayContaining(['BatchMode=yes', 'ServerAliveInterval=15', 'ClearAllForwardings=yes', 'ForwardAgent=no']),
    );
    expect(args.slice(-3)).toEqual(['--', 'gpu1', `exec sh -c 'echo "a b"'`]);
    expect(env).toEqual({});
  });
  it('lets ssh ask by our program, or in the terminal', () => {
    const asking = { askpass: '/h/ask', env: { UNIMISS_ASK: 'x' } };
    const { args, env } = sshCommand('gpu1', 'true', { asking, platform: 'linux', env: { SSH_ASKPASS: '/other' } });
    expect(args).toContain('BatchMode=no');
    expect(env).toMatchObject({ SSH_ASKPASS: '/h/ask', SSH_ASKPASS_REQUIRE: 'force', UNIMISS_ASK: 'x' });
    const terminal = sshCommand('gpu1', 'true', { asking: 'terminal', env: { SSH_ASKPASS: '/other', PATH: '/bin' } });
    expect(terminal.env).toEqual({ PATH: '/bin' });
  });
  it('names the ssh.exe of Windows by its path, with the same words', () => {
    const env = { SystemRoot: 'D:\\Windows' };
    const { file, args } = sshCommand('gpu1', 'true', { asking: 'nobody', platform: 'win32', env });
    expect(file).toBe('D:\\Windows\\System32\\OpenSSH\\ssh.exe');
    expect(args.slice(-3)).toEqual(['--', 'gpu1', "exec sh -c 'true'"]);
    // One of the user's, where it is named whole.
    const own = (UNIMISS_SSH: string) =>
      sshCommand('gpu1', 'true', { asking: 'nobody', platform: 'win32', env: { UNIMISS_SSH } });
    expect(own('C:\\Git\\usr\\bin\\ssh.exe').file).toBe('C:\\Git\\usr\\bin\\ssh.exe');
    expect(() => own('ssh.exe')).toThrow(/UNIMISS_SSH: "ssh.exe" is not an absolute path/);
  });
  it('has a terminal there where it is asked for: Ctrl-C then reaches the command', () => {
    const { args } = sshCommand('gpu1', 'true', { asking: 'terminal', terminal: true });
    expect(args[0]).toBe('-tt');
    expect(args).toContain('RequestTTY=force');
  });
  it('refuses a host that is none, whoever asks', () => {
    expect(() => sshCommand('-oProxyCommand=id', 'true', { asking: 'nobody' })).toThrow(/no name of a host/);
  });
});

describe('the scripts', () => {
  it('any text comes through a shell as it is', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 40 }).filter((one) => !/[\n\r\0]/.test(one));
    fc.assert(
      fc.property(text, (word) => {
        const said = execFileSync('sh', ['-c', `printf %s ${quoted(word)}`], { encoding: 'utf8' });
        expect(said).toBe(word);
      }),
      { numRuns: 30 },
    );
    expect(() => quoted('a\nb')).toThrow(/line break/);
  });
  it.each([
    ['connect', connectScript('0.1.0-abc')],
    ['command', commandScript('0.1.0-abc', encodeCommand({ args: ["it's", '\n'], files: {} }), false)],
    ['probe', probeScript()],
    ['wheel', wheelScript({ folder: '2.21.0-cpu', wheel: { name: 'tensorflow-cpu', sha256: 'f00' } })],
    ['receive', receiveScript('daemon/0.1.0-abc', 'f00', linkNode)],
  ])('%s is one line that sh understands', (_, script) => {
    execFileSync('sh', ['-n', '-c', script]);
    // csh and fish, which may be login shells, read these differently within quotes.
    expect(script).not.toMatch(/[\n!]|\\['\\]/);
  });
  it('name only what we checked', () => {
    expect(() => connectScript('0.1.0"; id; "')).toThrow(/cannot be part of a command/);
    expect(() => receiveScript('daemon/..', 'f00')).toThrow(/cannot be part of a command/);
    expect(() => commandScript('0.1.0', '$(id)', true)).toThrow(/not encoded/);
  });
});

it('an archive is read by tar, long paths and all', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'um-tar-'));
  const long = `node_modules/${'x'.repeat(90)}/${'y'.repeat(60)}.js`;
  writeFileSync(join(folder, 'in'), 'from a file');
  const entries = [
    { path: 'a/b.txt', content: Buffer.from('hello') },
    { path: long, content: { file: join(folder, 'in') } },
    { path: 'empty', content: Buffer.alloc(0) },
  ];
  const { archive, sha256 } = await pack(entries);
  expect(sha256).toMatch(/^[0-9a-f]{64}$/);
  execFileSync('tar', ['-xz', '-C', folder], { input: archive });
  expect(readFileSync(join(folder, 'a/b.txt'), 'utf8')).toBe('hello');
  expect(readFileSync(join(folder, long), 'utf8')).toBe('from a file');
  expect(readFileSync(join(folder, 'empty'), 'utf8')).toBe('');
  rmSync(folder, { recursive: true });
});

describe('what a machine says about itself', () => {
  const good = [
    'system=Linux',
    'processor=x86_64',
    'glibc=glibc 2.36',
    'node=/usr/bin/node',
    'free=/dev/sda1 1000 500 400 50% /home/me',
    'gpus=NVIDIA H100 80GB HBM3, 575.57.08|NVIDIA H100 80GB HBM3, 575.57.08|',
  ];
  const facts = (change: Record<string, string> = {}) =>
    parseFacts(good.map((line) => change[line.split('=')[0] ?? ''] ?? line).join('\n'));
  it('is read', () => {
    expect(facts()).toEqual({
      ...{ system: 'Linux', processor: 'x86_64', glibc: '2.36', hasNode: true, free: 400 * 1024 },
      gpus: Array(2).fill('NVIDIA H100 80GB HBM3, 575.57.08'),
    });
    expect(() => checkFacts('gpu1', facts(), 1000)).not.toThrow();
  });
  it.each([
    [{ system: 'system=Darwin' }, /gpu1: it runs Darwin/],
    [{ processor: 'processor=aarch64' }, /its processor is aarch64, .* for x86_64 only\n.*a clone of UniMiSS may work/],
    [{ processor: 'processor=ppc64le' }, /its processor is ppc64le, .* for x86_64 only\n.*Use an x86-64 machine\.$/],
    [{ glibc: 'glibc=' }, /it has no glibc/],
    [{ glibc: 'glibc=glibc 2.17' }, /it has glibc 2.17, but Node needs 2.28/],
    [{ free: 'free=/dev/sda1 1000 999 1 99% /' }, /needs 100 KiB there; 1.0 KiB are free/],
  ])('%j is refused with a remedy', (change, message) => {
    expect(() => checkFacts('gpu1', facts(change), 100 * 1024)).toThrow(message);
  });
  it('nonsense counts as unknown', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), (text) => {
        expect(parseFacts(text)).toMatchObject({ gpus: [], hasNode: false, free: undefined });
      }),
    );
    expect(parseFacts('free=x\nsystem=\x1b[2JLinux')).toMatchObject({ free: undefined, system: '\\x1b[2JLinux' });
  });
});

it('a failure of ssh is a sentence; another attempt is worth it only where that can help', () => {
  const error = (text: string) => sshError('gpu1', text, 255);
  expect(error('ssh: connect to host gpu1 port 22: Connection refused').message).toMatch(/^gpu1: it cannot be reached/);
  expect(error('ssh: connect to host gpu1 port 22: Connection refused')).toBeInstanceOf(Unreachable);
  expect(error('me@gpu1: Permission denied (publickey).')).not.toBeInstanceOf(Unreachable);
  expect(error('Host key verification failed.').message).toMatch(/`ssh gpu1` in a terminal/);
  expect(error('@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.').message).toMatch(
    /has changed/,
  );
  expect(error('\x1b[2Jevil').message).toContain('\\x1b[2Jevil');
});
