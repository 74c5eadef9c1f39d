import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { noSshd, Sshd } from '../machines/sshd.ts';
import { Editor, type EditorOptions } from './kit/editor.ts';
import { packVsix, skipped } from './support.ts';

/** Why tests of an editor with another machine cannot run here; '' if they can. */
export const noFarMachine = skipped || noSshd || (process.env.UNIMISS_TENSORFLOW ? '' : 'TensorFlow is not installed');

/**
 * A machine behind a real `sshd`, with TensorFlow and an account, and the home of a client whose SSH configuration names it and who has
 * never seen its key.
 */
export class FarMachine {
  /** Its name in the client's SSH configuration. */
  readonly host = 'gpu-a';
  private readonly clientHome: string;

  private constructor(private readonly sshd: Sshd) {
    this.clientHome = join(sshd.folder, 'client');
  }

  static async start(): Promise<FarMachine> {
    const sshd = await Sshd.start();
    const machine = new FarMachine(sshd);
    // The libraries that root has, where that user may read them.
    const libraries = join(sshd.folder, 'tensorflow');
    for (const name of readdirSync(libraries)) {
      execFileSync('rm', [join(libraries, name)]);
      linkSync(join(process.env.UNIMISS_TENSORFLOW ?? '', name), join(libraries, name));
    }
    sshd.addHost(machine.host, { UserKnownHostsFile: join(sshd.folder, 'known-later') });
    mkdirSync(join(machine.clientHome, '.ssh'), { recursive: true });
    writeFileSync(
      join(machine.clientHome, '.ssh/config'),
      `Host ${machine.host}\n  HostName 127.0.0.1\nHost *\n  Compression yes\n`,
    );
    return machine;
  }

  /** Home of the account on the machine. */
  get home(): string {
    return this.sshd.users[0].home;
  }

  /** Files that a test has written into the account's home become the account's. */
  own(folder: string): string {
    execFileSync('chown', ['-R', this.sshd.users[0].name, folder]);
    return folder;
  }

  /** An editor of the client, from the package for macOS and Windows: nothing in it can load koffi. */
  openEditor(options: Omit<EditorOptions, 'vsix' | 'env'>): Promise<Editor> {
    return Editor.open({
      ...options,
      vsix: packVsix(undefined, '--universal'),
      env: (folder) => ({ UNIMISS_RUNS: join(folder, 'runs'), UNIMISS_SSH: this.sshd.ssh, HOME: this.clientHome }),
    });
  }

  /** The processes of `ssh` that its clients have. */
  clients(): number[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => {
        try {
          const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
          return words[0] === '/usr/bin/ssh' && words.includes(`${this.sshd.folder}/config`);
        } catch {
          return false; // it has ended
        }
      })
      .map(Number);
  }

  /** Ends every connection to it at once. @returns the processes that were killed */
  cut(): number[] {
    const pids = this.clients();
    if (pids.length === 0) throw new Error('there is no connection to cut');
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    return pids;
  }

  /** Whether it answers new connections. */
  answer(does: boolean): void {
    this.sshd.answer(does);
  }

  stop(): Promise<void> {
    return this.sshd.stop();
  }
}
