import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import type { Browser, BrowserContext } from 'playwright-core';
import { ownFolders, withoutUsers } from '../../environment.ts';
import { extensionErrors, type Restless } from './hostErrors.ts';
import {
  browserFlags,
  chromium,
  installation,
  kitFile,
  noTrustFlag,
  serverFlags,
  settings,
  startTimeout,
  type Theme,
  themes,
  untrustedSettings,
} from './surroundings.ts';
import { Window } from './window.ts';

export interface EditorOptions {
  /** The extension to install, as a user would. */
  vsix: string;
  /** Files of the folder that is opened. */
  workspace: Record<string, string | Uint8Array>;
  /** User settings, over those of the tests. */
  settings?: Record<string, unknown>;
  /** For the extension host, over this process's environment; it is given the editor's temporary folder. */
  env?: (folder: string) => Record<string, string>;
  theme?: Theme;
  viewport?: { width: number; height: number };
  /** Whether the workspace is trusted; default true. If not, nobody is asked, and Restricted Mode applies. */
  trusted?: boolean;
  /** Whether the window has no folder open; default false. */
  empty?: boolean;
  /** How long a helper waits, ms; default 120,000: it only guards against waiting for ever. */
  timeout?: number;
}

/**
 * A VS Code server with data folders of its own, a browser, and a first window on them. The extension host is the real
 * one, on Node; what Electron alone has (native menus and dialogs) is missing, and a folder is `file:` in the extension
 * host and `vscode-remote:` in the window, as over SSH.
 */
export class Editor {
  readonly timeout: number;
  /** Where pictures go. */
  readonly artifacts = resolve(process.env.UNIMISS_TEST_PICTURES || 'test-artifacts');
  /** What the browsers' consoles reported, without what a plain workbench reports too. Empty for a well-behaved extension. */
  readonly consoleErrors: string[] = [];
  /** Temporary folder, removed by `close()`. */
  readonly folder = mkdtempSync(join(tmpdir(), 'um-editor-'));
  readonly workspace = join(this.folder, 'workspace');
  readonly window: Window;
  context!: BrowserContext;
  port = 0;
  /** When windows were opened, reloaded or closed. */
  readonly restless: Restless[] = [];
  private browser: Browser | undefined;
  private guard: ChildProcess | undefined;
  private serverLog = '';
  private added: Record<string, string> | undefined;
  private readonly hosts = new Set<number>();

  private constructor(private readonly options: EditorOptions) {
    this.timeout = options.timeout ?? 120_000;
    this.window = new Window(this, options.empty ? undefined : this.workspace);
  }

  /** Resolves once the workbench is there and the extensions that start with it are active. */
  static async open(options: EditorOptions): Promise<Editor> {
    const editor = new Editor(options);
    try {
      await editor.start();
      return editor;
    } catch (error) {
      await editor.close();
      throw error;
    }
  }

  private async start(): Promise<void> {
    const { options } = this;
    const node = join(installation(), 'node');
    this.guard = spawn(node, [kitFile('guard.mjs'), this.folder], {
      stdio: ['pipe', 'ignore', 'inherit'],
      detached: true,
    });
    this.guard.unref();

    for (const name of ['extensions', 'run', 'user/User', 'workspace'])
      mkdirSync(this.inside(name), { recursive: true });
    mkdirSync(this.artifacts, { recursive: true });
    const all = {
      ...settings,
      ...(this.trusted ? {} : untrustedSettings),
      'workbench.colorTheme': themes[options.theme ?? 'dark'],
      ...options.settings,
    };
    writeFileSync(this.inside('user/User/settings.json'), JSON.stringify(all, null, 2));
    for (const [name, content] of Object.entries(options.workspace)) {
      mkdirSync(dirname(join(this.workspace, name)), { recursive: true });
      writeFileSync(join(this.workspace, name), content);
    }
    symlinkSync(kitFile('probe'), this.inside('extensions/unimiss.editor-test-probe-1.0.0'));
    execFileSync(node, this.arguments(['--install-extension', resolve(options.vsix), '--force']), {
      env: this.environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    await this.startServer();

    const { chromium: launcher } = createRequire(join(installation(), 'package.json'))('playwright-core');
    this.browser = await (launcher as import('playwright-core').BrowserType).launch({
      executablePath: chromium(),
      args: browserFlags,
      env: this.environment(),
    });
    this.context = await this.browser.newContext({
      viewport: options.viewport ?? { width: 1280, height: 800 },
      colorScheme: options.theme?.endsWith('light') ? 'light' : 'dark',
      reducedMotion: 'reduce',
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    await this.window.open();
  }

  private async startServer(): Promise<void> {
    const server = spawn(join(installation(), 'node'), this.arguments(['--port', '0']), {
      env: this.environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.port = await new Promise<number>((bound, failed) => {
      const late = setTimeout(() => failed(new Error(`the server did not start:\n${this.serverLog}`)), startTimeout);
      server.once('exit', (code) => failed(new Error(`the server ended with ${code}:\n${this.serverLog}`)));
      for (const stream of [server.stdout, server.stderr])
        stream.setEncoding('utf8').on('data', (text) => {
          this.serverLog += text;
          const port = /Server bound to 127\.0\.0\.1:(\d+)/.exec(text)?.[1];
          if (!port) return;
          clearTimeout(late);
          bound(Number(port));
        });
    });
  }

  /** Another window on the same folder, with its own extension host. */
  async newWindow(): Promise<Window> {
    const window = new Window(this, this.workspace);
    await window.open();
    return window;
  }

  /** Everything that was written to an output channel, from its log file. */
  outputChannel(name: string): string {
    const title = name.replace(/[\\/:*?"<>|]/g, ''); // as VS Code names the file
    return this.readLogs((file) => file === `${title}.log` || (file.endsWith(`-${title}.log`) && /^\d+-/.test(file)));
  }

  /** Errors of extensions that were installed, as the extension hosts logged them. */
  hostErrors(): string {
    const log = this.readLogs((file) => file === 'remoteexthost.log');
    return extensionErrors(log, this.restless).join('\n');
  }

  /** The last of what extension, daemon, extension host and browser said, for whoever looks for the cause of a failure. */
  report(): string {
    const state = this.inside('state', 'unimiss');
    const daemon = existsSync(state)
      ? readdirSync(state)
          .map((name) => readFileSync(join(state, name), 'utf8'))
          .join('')
      : '';
    const parts = {
      extension: this.outputChannel('UniMiSS'),
      daemon,
      host: this.hostErrors(),
      browser: this.consoleErrors.join('\n'),
    };
    return Object.entries(parts)
      .map(([name, text]) => `--- ${name}\n${text.trimEnd().split('\n').slice(-25).join('\n')}`)
      .join('\n');
  }

  /** Ends all processes that it started, and theirs (detached ones too), and removes its folder. Happens as well when the test process is killed. */
  async close(): Promise<void> {
    await this.browser?.close().catch(() => {}); // it may have ended already
    if (!this.guard) return rmSync(this.folder, { recursive: true, force: true });
    this.guard.ref();
    this.guard.stdin?.end();
    if (this.guard.exitCode === null) await once(this.guard, 'exit');
  }

  /** The socket on which the extension host `pid` runs functions. */
  probe(pid: number): string {
    return this.inside('run', `${pid}.sock`);
  }

  /** The extension host that has come up since the last call. */
  newHost(): number | undefined {
    const fresh = readdirSync(this.inside('run'))
      .map((name) => Number(/^(\d+)\.sock$/.exec(name)?.[1]))
      .find((pid) => pid && !this.hosts.has(pid));
    if (fresh) this.hosts.add(fresh);
    return fresh;
  }

  /** A path in the temporary folder. */
  inside(...names: string[]): string {
    return join(this.folder, ...names);
  }

  private readLogs(wanted: (file: string) => boolean): string {
    const logs = this.inside('user', 'logs');
    if (!existsSync(logs)) return '';
    return readdirSync(logs, { recursive: true, encoding: 'utf8' })
      .filter((file) => wanted(basename(file)))
      .map((file) => join(logs, file))
      .sort((a, b) => statSync(a).birthtimeMs - statSync(b).birthtimeMs)
      .map((file) => readFileSync(file, 'utf8'))
      .join('');
  }

  /** This process's variables without its own and the user's, with folders of the editor's own; socket paths must be short. */
  private environment(): Record<string, string> {
    const own = /^(VSCODE_|ELECTRON_|VITEST|NODE_OPTIONS$|NODE_ENV$)/;
    const inherited = Object.entries(withoutUsers(process.env)).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && !own.test(entry[0]),
    );
    this.added ??= this.options.env?.(this.folder) ?? {};
    return {
      ...Object.fromEntries(inherited),
      ...ownFolders(this.folder),
      ...this.added,
      EDITOR_TEST: this.folder,
      EDITOR_TEST_PROBES: this.inside('run'),
    };
  }

  private get trusted(): boolean {
    return this.options.trusted ?? true;
  }

  private arguments(flags: string[]): string[] {
    return [
      join(installation(), 'vscode/out/server-main.js'),
      ...(this.trusted ? [...serverFlags, noTrustFlag] : serverFlags),
      ...flags,
      ...['--server-data-dir', this.inside('server')],
      ...['--user-data-dir', this.inside('user')],
      ...['--extensions-dir', this.inside('extensions')],
    ];
  }
}
