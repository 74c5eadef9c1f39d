import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  cpSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { lack } from '../needs.ts';

const program = '/usr/sbin/sshd';

/** Why tests with a real `sshd` cannot run here; '' if they can. */
export const noSshd = lack('sshd', reason());

function reason(): string {
  if (process.getuid?.() !== 0) return 'only root can start sshd for several users';
  for (const file of [program, '/usr/bin/ssh', '/usr/bin/ssh-keygen', '/usr/sbin/useradd'])
    try {
      accessSync(file, constants.X_OK);
    } catch {
      return `there is no ${file} (Debian: openssh-server)`;
    }
  return '';
}

/** A user who exists for the test only. */
export interface TestUser {
  name: string;
  home: string;
  uid: number;
  password: string;
}

/** A host of the test's SSH configuration, by the settings that differ. */
type HostSettings = Record<string, string | number>;

/**
 * A real `sshd` on a port of its own at the loopback address, with its own keys and two users whose homes are temporary. Clients
 * use it through `ssh`, a script that reads the test's configuration instead of the user's.
 */
export class Sshd {
  /** Others may enter it: the users' homes lie below. */
  readonly folder = mkdtempSync('/tmp/unimiss-sshd-');
  readonly users: [TestUser, TestUser];
  /** For UNIMISS_SSH. */
  readonly ssh = join(this.folder, 'ssh');
  /** A folder with an image that both users may read: what a run is checked for. */
  readonly images = join(this.folder, 'images');
  private server: ChildProcess | undefined;
  private readonly hosts = new Map<string, HostSettings>();

  private constructor(
    readonly port: number,
    private readonly hidden: readonly string[],
  ) {
    chmodSync(this.folder, 0o755);
    this.users = [this.makeUser('a'), this.makeUser('b')];
  }

  /**
   * Hosts of its configuration: `gpu-a` and `gpu-b`, by user; both accept the test's key.
   * @param variables of the users' sessions
   * @param hidden programs that are no programs for them
   */
  static async start(variables: Record<string, string> = {}, hidden: readonly string[] = []): Promise<Sshd> {
    const sshd = new Sshd(await freePort(), hidden);
    const { folder, port, users } = sshd;
    cpSync('docs/images', sshd.images, { recursive: true });
    execFileSync('chmod', ['-R', 'a+rX', sshd.images]);
    for (const key of ['host', 'id', 'stranger'])
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'test', '-f', join(folder, key)]);
    const publicKey = execFileSync('ssh-keygen', ['-y', '-f', join(folder, 'id')], { encoding: 'utf8' });
    const hostKey = execFileSync('ssh-keygen', ['-y', '-f', join(folder, 'host')], { encoding: 'utf8' });
    writeFileSync(join(folder, 'authorized'), publicKey, { mode: 0o644 });
    writeFileSync(join(folder, 'known'), `[127.0.0.1]:${port} ${hostKey}`);
    const own = { UNIMISS_IDLE_MINUTES: '5', UNIMISS_TENSORFLOW: fakeTensorflow(join(folder, 'tensorflow')) };
    const set = Object.entries({ ...own, ...variables }).map(([name, value]) => `"${name}=${value}"`);
    writeFileSync(
      join(folder, 'sshd_config'),
      [
        `Port ${port}`,
        'ListenAddress 127.0.0.1',
        `HostKey ${folder}/host`,
        `AuthorizedKeysFile ${folder}/authorized`,
        `PidFile ${folder}/pid`,
        'StrictModes no',
        'UsePAM no',
        'PasswordAuthentication yes',
        'MaxStartups 100',
        `SetEnv ${set.join(' ')}`,
        '',
      ].join('\n'),
    );
    writeFileSync(sshd.ssh, `#!/bin/sh\nexec /usr/bin/ssh -F ${folder}/config "$@"\n`, { mode: 0o755 });
    sshd.addHost('gpu-a', { User: users[0].name });
    sshd.addHost('gpu-b', { User: users[1].name });
    mkdirSync('/run/sshd', { recursive: true });
    await sshd.listen();
    return sshd;
  }

  /** Environment of a client. */
  get env(): NodeJS.ProcessEnv {
    return { ...process.env, UNIMISS_SSH: this.ssh };
  }

  addHost(name: string, settings: HostSettings = {}): void {
    this.hosts.set(name, settings);
    const usual: HostSettings = {
      ...{ HostName: '127.0.0.1', Port: this.port, User: this.users[0].name },
      ...{ IdentityFile: join(this.folder, 'id'), IdentitiesOnly: 'yes', IdentityAgent: 'none' },
      ...{ HostKeyAlias: `[127.0.0.1]:${this.port}`, UserKnownHostsFile: join(this.folder, 'known') },
      ...{ GlobalKnownHostsFile: '/dev/null', ConnectTimeout: 5 },
    };
    const text = [...this.hosts].map(([host, own]) =>
      [`Host ${host}`, ...Object.entries({ ...usual, ...own }).map(([key, value]) => `  ${key} ${value}`)].join('\n'),
    );
    writeFileSync(join(this.folder, 'config'), `${text.join('\n')}\n`);
  }

  /** Whether new connections are answered; those that exist go on. */
  answer(does: boolean): void {
    if (!this.server?.kill(does ? 'SIGCONT' : 'SIGSTOP')) throw new Error('sshd does not run');
  }

  /** What a command prints for a user over the real line. */
  run(host: string, command: string): string {
    return execFileSync(this.ssh, [host, command], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  }

  /** Ends the server and its users, with their daemons. */
  async stop(): Promise<void> {
    this.server?.kill('SIGCONT');
    for (const host of ['gpu-a', 'gpu-b'])
      this.run(
        host,
        'for d in ~/.local/share/unimiss/daemon/*/; do if [ -e "$d/main.js" ]; then "$d/node" "$d/main.js" daemon stop --stop-runs || true; fi; done 2>/dev/null',
      );
    if (this.server) {
      const ended = once(this.server, 'exit');
      this.server.kill();
      await ended;
    }
    for (const { name } of this.users) execFileSync('userdel', ['--force', name], { stdio: 'ignore' });
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async listen(): Promise<void> {
    const log = join(this.folder, 'log');
    const own = [program, '-D', '-f', join(this.folder, 'sshd_config'), '-E', log];
    // In a view of the file system of its own, where something else lies over what is hidden.
    const hide = this.hidden.map((file) => `mount --bind /dev/null '${file}'`);
    const [file = '', ...args] =
      hide.length === 0 ? own : ['unshare', '--mount', 'sh', '-c', [...hide, 'exec "$@"'].join(' && '), 'sh', ...own];
    this.server = spawn(file, args, { stdio: 'ignore' });
    while (!(await answers(this.port))) {
      if (this.server.exitCode !== null) throw new Error(`sshd ended: see ${log}`);
      await setTimeout(10); // between two looks at the port, which is the event
    }
  }

  private makeUser(letter: string): TestUser {
    const name = `unimiss-${process.pid}-${letter}`;
    const home = join(this.folder, `home-${letter}`);
    const password = `secret-${letter}`;
    const hash = execFileSync('openssl', ['passwd', '-6', password], { encoding: 'utf8' }).trim();
    execFileSync('useradd', ['-M', '-d', home, '-s', '/bin/bash', '-p', hash, name]);
    const uid = Number(execFileSync('id', ['-u', name], { encoding: 'utf8' }));
    const gid = Number(execFileSync('id', ['-g', name], { encoding: 'utf8' }));
    mkdirSync(home, { mode: 0o700 });
    chownSync(home, uid, gid);
    return { name, home, uid, password };
  }
}

export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function answers(port: number): Promise<boolean> {
  const socket = createConnection(port, '127.0.0.1');
  const open = await once(socket, 'connect').then(
    () => true,
    () => false,
  );
  socket.destroy();
  return open;
}

/** What passes for TensorFlow where none is loaded: the headers of two libraries for x86-64. */
function fakeTensorflow(folder: string): string {
  const header = Buffer.alloc(64);
  header.writeUInt32BE(0x7f454c46, 0);
  header[4] = 2;
  header.writeUInt16LE(62, 18);
  mkdirSync(folder);
  for (const name of ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'])
    writeFileSync(join(folder, name), header);
  return folder;
}
