import { isAbsolute, win32 } from 'node:path';
import { UnimissError } from '../protocol/errors.ts';
import { checkHost } from './host.ts';

/**
 * Who answers what `ssh` asks (a password, a passphrase, whether a host key is right): nobody, so that it fails instead; the
 * terminal of this process; or a program that `ssh` starts (SSH_ASKPASS) with these variables.
 */
export type Asking = 'nobody' | 'terminal' | { askpass: string; env: Record<string, string> };

export interface SshCommand {
  file: string;
  args: string[];
  env: NodeJS.ProcessEnv;
}

export interface SshOptions {
  asking: Asking;
  /** Whether the command has a terminal there; default: no. */
  terminal?: boolean;
  platform?: NodeJS.Platform;
  env?: NodeJS.ProcessEnv;
}

/** Seconds: an unanswered attempt, and how often and how long the line may be silent before it counts as lost. */
const patience = { connect: 20, alive: 15, silences: 3 };

/**
 * The command that runs `script` with `sh` on a host, by the user's own `ssh` program and configuration. It asks for no pseudo
 * terminal unless told, forwards nothing, and notices a dead line within a minute. Start it without a shell.
 * @param script one line of POSIX shell
 * @throws UnimissError 'config' if the host is none, or UNIMISS_SSH is no absolute path
 */
export function sshCommand(host: string, script: string, options: SshOptions): SshCommand {
  const { platform = process.platform, env = process.env, asking, terminal = false } = options;
  const settings = {
    BatchMode: asking === 'nobody' ? 'yes' : 'no',
    ClearAllForwardings: 'yes',
    Compression: 'yes',
    ConnectTimeout: patience.connect,
    ForwardAgent: 'no',
    ForwardX11: 'no',
    PermitLocalCommand: 'no',
    RemoteCommand: 'none',
    RequestTTY: terminal ? 'force' : 'no',
    ServerAliveCountMax: patience.silences,
    ServerAliveInterval: patience.alive,
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  return {
    file: sshProgram(platform, env),
    args: [terminal ? '-tt' : '-T', ...flags, '--', checkHost(host), `exec sh -c ${quoted(script)}`],
    env: { ...withoutAskpass(env), ...askpassOf(asking, env) },
  };
}

/** One word of a POSIX shell; also of fish and csh, which users may have as their login shell. */
export function quoted(text: string): string {
  if (/[\n\r\0]/.test(text)) throw new UnimissError('internal', 'a line break in a command for another machine');
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Windows looks for a bare name in the current folder first, where anyone's `ssh.exe` may lie; so its own is named. */
function sshProgram(platform: NodeJS.Platform, env: NodeJS.ProcessEnv): string {
  const named = env.UNIMISS_SSH;
  if (named) {
    if (platform === 'win32' ? win32.isAbsolute(named) : isAbsolute(named)) return named;
    throw new UnimissError('config', `"${named}" is not an absolute path`, { place: 'UNIMISS_SSH' });
  }
  if (platform !== 'win32') return 'ssh';
  return win32.join(env.SystemRoot || env.SYSTEMROOT || 'C:\\Windows', 'System32', 'OpenSSH', 'ssh.exe');
}

function withoutAskpass(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { SSH_ASKPASS: _, SSH_ASKPASS_REQUIRE: __, ...others } = env;
  return others;
}

/** `force`: `ssh` asks the program even where it has a terminal or no display. Earlier than 8.4 it wants a display for that. */
function askpassOf(asking: Asking, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  if (typeof asking === 'string') return {};
  return {
    SSH_ASKPASS: asking.askpass,
    SSH_ASKPASS_REQUIRE: 'force',
    DISPLAY: env.DISPLAY || ':0',
    ...asking.env,
  };
}
