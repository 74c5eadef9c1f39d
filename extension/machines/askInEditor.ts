import { mkdtempSync, rmSync } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Disposable, type ExtensionContext, l10n, Uri, window } from 'vscode';
import type { Asking } from '../../machines/sshCommand.ts';
import { printable } from '../../protocol/printable.ts';

/** A question of `ssh` is not longer than this, characters. */
const longest = 4000;

/**
 * Lets `ssh` ask in the editor: for passwords, passphrases and codes, and whether an unknown host key is right. `ssh` starts our
 * helper (SSH_ASKPASS), which passes the question on through a socket that only this user can open. The answer goes back the same
 * way and is kept nowhere. A terminal would also serve, but hides behind others, and each jump host would need one more.
 *
 * On Windows nothing is asked: its helper would be a batch file, whose arguments a hostile machine could turn into commands.
 */
export class AskInEditor implements Disposable {
  private folder: string | undefined;
  private server: Server | undefined;

  constructor(private readonly extension: ExtensionContext) {}

  /** @param cancel called when the user gives no answer; `ssh` would ask again */
  async asking(host: string, cancel: () => void): Promise<Asking> {
    if (process.platform === 'win32') return 'nobody';
    const program = Uri.joinPath(this.extension.extensionUri, 'dist', 'extension', 'askpass.cjs').fsPath;
    const storage = this.extension.globalStorageUri.fsPath;
    const askpass = join(storage, 'ssh-askpass');
    await mkdir(storage, { recursive: true });
    // A package may lose the mark of a program, so the program is written here.
    await writeFile(askpass, '#!/bin/sh\nexec "$UNIMISS_ASK_NODE" "$UNIMISS_ASK_PROGRAM" "$@"\n');
    await chmod(askpass, 0o700);
    return {
      askpass,
      env: {
        ELECTRON_RUN_AS_NODE: '1',
        UNIMISS_ASK_NODE: process.execPath,
        UNIMISS_ASK_PROGRAM: program,
        UNIMISS_ASK_SOCKET: await this.listen(host, cancel),
      },
    };
  }

  dispose(): void {
    this.server?.close();
    if (this.folder) rmSync(this.folder, { recursive: true, force: true });
    this.folder = undefined;
  }

  /** A new socket for each connection, in a folder that only this user can enter. */
  private listen(host: string, cancel: () => void): Promise<string> {
    this.dispose();
    this.folder = mkdtempSync(join(tmpdir(), 'unimiss-ask-'));
    const path = join(this.folder, 'socket');
    const server = createServer({ allowHalfOpen: true }, (socket) => void this.answer(socket, host, cancel));
    this.server = server;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, () => resolve(path));
    });
  }

  private async answer(socket: Socket, host: string, cancel: () => void): Promise<void> {
    let question = '';
    socket.setEncoding('utf8').on('error', () => {}); // the helper is gone, and `ssh` with it
    for await (const text of socket) {
      question += text;
      if (question.length > longest) return void socket.destroy();
    }
    const answer = await ask(host, printable(question));
    if (answer === undefined) cancel();
    socket.end(answer === undefined ? '' : `${answer}\n`);
  }
}

/** @returns undefined if the user gave no answer */
async function ask(host: string, question: string): Promise<string | undefined> {
  if (!/\(yes\/no/.test(question))
    return window.showInputBox({
      title: l10n.t('{0} asks', host),
      prompt: question.trim(),
      password: true,
      ignoreFocusOut: true,
    });
  const detail = question.replace(/\s*(Are you sure|Please type)[\s\S]*$/, '');
  const connect = l10n.t('Trust and Connect');
  const message = l10n.t('Is this the host key of {0}? Compare the fingerprint with one that you know.', host);
  return (await window.showWarningMessage(message, { modal: true, detail }, connect)) === connect ? 'yes' : undefined;
}
