import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { ConfigurationTarget, commands, l10n, ProgressLocation, Uri, window, workspace } from 'vscode';
import { checkHost } from '../../machines/host.ts';
import { quoted } from '../../machines/sshCommand.ts';
import { hostsInSshConfig } from '../../machines/sshConfig.ts';
import { engineInfoRequest } from '../../protocol/daemon/messages.ts';
import { messageOf, UnimissError } from '../../protocol/errors.ts';
import { configSuffix, isConfig } from '../configuration/configFiles.ts';
import type { Context } from '../context.ts';
import { askPath } from '../machines/askPath.ts';
import type { Machine } from '../machines/machine.ts';
import { uriOf } from '../machines/machineUri.ts';
import { addressThere, onMachine } from '../machines/there.ts';
import { notify } from '../notify.ts';
import { openFolder } from '../openFolder.ts';
import { showError } from '../showError.ts';
import { builds, install } from './engine.ts';
import { finetuneFile, taskIn } from './finetune.ts';
import { startFile } from './startRun.ts';

/** Commands about other machines. */
export function machineCommands(ctx: Context): Record<string, (given?: unknown) => Promise<void>> {
  return {
    async 'unimiss.addMachine'() {
      const host = await askForHost(ctx);
      if (host === undefined) return;
      await setHosts((hosts) => [...hosts.filter((one) => one !== host), host]);
      await connect(ctx, machineNamed(ctx, host));
    },
    async 'unimiss.connectMachine'(given) {
      const machine = await choose(
        ctx,
        given,
        l10n.t('Connect Machine'),
        ({ client }) => client.state.kind !== 'connected',
      );
      if (machine) await connect(ctx, machine);
    },
    async 'unimiss.disconnectMachine'(given) {
      const machine = await choose(
        ctx,
        given,
        l10n.t('Disconnect Machine'),
        ({ client }) => client.state.kind !== 'idle',
      );
      if (!machine) return;
      ctx.machines.remember(machine.host, false);
      await machine.client.close();
    },
    async 'unimiss.removeMachine'(given) {
      const machine = await choose(ctx, given, l10n.t('Remove Machine'), () => true);
      if (!machine) return;
      ctx.machines.remember(machine.host, false);
      await setHosts((hosts) => hosts.filter((host) => host !== machine.host));
    },
    async 'unimiss.installEngineOnMachine'(given) {
      const machine = await choose(ctx, given, l10n.t('Install TensorFlow on Machine'), connected);
      if (machine) await installEngine(ctx, machine);
    },
    async 'unimiss.startOnMachine'(given) {
      const file = given instanceof Uri ? given : await chooseFile();
      if (!file) return;
      const machine = await choose(ctx, undefined, l10n.t('Start on Machine'), connected);
      if (machine) await startOn(ctx, machine, file);
    },
    async 'unimiss.openOnMachine'(given) {
      const machine = await choose(ctx, given, l10n.t('Open on Machine'), connected);
      if (!machine) return;
      const there = onMachine(ctx, machine.host);
      const title = l10n.t('Open on {0}', machine.host);
      const place = await askPath(there, { title, placeHolder: l10n.t('A file, an image, or a folder') });
      if (!place) return;
      const address = addressThere(there, place.path);
      if (place.kind === 'folder') await openFolder(address);
      else await commands.executeCommand('vscode.open', uriOf(address));
    },
    async 'unimiss.copyDataToMachine'(given) {
      const machine = await choose(ctx, given, l10n.t('Copy Data to Machine'), () => true);
      if (!machine) return;
      const title = l10n.t('Folder to copy to {0}', machine.host);
      const options = { title, openLabel: l10n.t('Copy This Folder'), canSelectFiles: false, canSelectFolders: true };
      const [folder] = (await window.showOpenDialog(options)) ?? [];
      if (folder) await showRsync(machine.host, folder);
    },
  };
}

const connected = ({ client }: Machine) => client.state.kind === 'connected';

async function connect(ctx: Context, machine: Machine): Promise<void> {
  const { host } = machine;
  await window.withProgress(
    { location: ProgressLocation.Notification, title: l10n.t('UniMiSS: connecting to {0}', host), cancellable: true },
    async (progress, cancelled) => {
      const abort = new AbortController();
      cancelled.onCancellationRequested(() => abort.abort());
      await machine.connect((message) => progress.report({ message }), abort.signal);
    },
  );
  ctx.machines.remember(host, true);
  const { ready, gpus } = await machine.client.request(engineInfoRequest, {});
  if (ready) return;
  const found = gpus.length > 0 ? l10n.t('It has {0}.', gpus.join(', ')) : l10n.t('It has no GPU.');
  const installThere = l10n.t('Install TensorFlow There');
  void notify(
    'info',
    l10n.t('{0} is connected. {1} TensorFlow is not installed there yet.', host, found),
    installThere,
  ).then((answer) => {
    if (answer === installThere)
      return installEngine(ctx, machine).catch((error: unknown) => showError(error, ctx.output));
  });
}

async function installEngine(ctx: Context, { host }: Machine): Promise<void> {
  const there = onMachine(ctx, host);
  const info = await there.daemon.request(engineInfoRequest, {});
  const picked = await window.showQuickPick(builds(info), {
    title: l10n.t('Install TensorFlow {0} on {1}', info.pinned ?? '', host),
    placeHolder: l10n.t('Which processor should TensorFlow use?'),
  });
  if (!picked) return;
  const version = await install(there, picked.device);
  ctx.output.info(`${host}: TensorFlow ${version ?? ''} is installed`);
  void notify('info', l10n.t('TensorFlow {0} is ready on {1}.', version ?? '', host));
}

/** Starts a run of a configuration on a machine. Its paths are paths there; relative ones start beside the folder of runs. */
async function startOn(ctx: Context, { host }: Machine, file: Uri): Promise<void> {
  const there = onMachine(ctx, host);
  const task = taskIn((await workspace.openTextDocument(file)).getText());
  await (task === 'finetune' ? finetuneFile(there, file) : startFile(there, file));
}

/** The command that copies a folder to a machine, in a terminal and not yet run: images may be many, and it goes on after a pause. */
async function showRsync(host: string, folder: Uri): Promise<void> {
  const terminal = window.createTerminal({ name: l10n.t('UniMiSS: copy to {0}', host) });
  terminal.show();
  const from = `${folder.fsPath.replace(/[/\\]$/, '')}/`;
  const to = `${host}:data/${basename(folder.fsPath)}/`;
  terminal.sendText(['rsync', '-avP', quoted(from), quoted(to)].join(' '), false);
}

async function chooseFile(): Promise<Uri | undefined> {
  const open = window.activeTextEditor?.document;
  if (open && isConfig(open)) return open.uri;
  const found = await workspace.findFiles(`**/*${configSuffix}`, '**/node_modules/**', 100);
  if (found.length === 0)
    throw new UnimissError('config', l10n.t('no configuration is open'), {
      remedy: l10n.t('Open a file whose name ends with {0}.', configSuffix),
    });
  const items = found.map((uri) => ({ label: basename(uri.fsPath), description: workspace.asRelativePath(uri), uri }));
  return (
    await window.showQuickPick(items, {
      title: l10n.t('Start on Machine'),
      placeHolder: l10n.t('Which configuration?'),
    })
  )?.uri;
}

/** A host of the user's SSH configuration, or one that is typed. */
async function askForHost({ machines }: Context): Promise<string | undefined> {
  const text = await readFile(join(homedir(), '.ssh', 'config'), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const hosts = hostsInSshConfig(text).filter((host) => !machines.get(host));
  const other = { label: l10n.t('Another host…'), description: 'user@host' };
  const picked =
    hosts.length === 0
      ? other
      : await window.showQuickPick([...hosts.map((label) => ({ label, description: '' })), other], {
          title: l10n.t('Add Machine'),
          placeHolder: l10n.t('A host of your SSH configuration'),
        });
  if (picked !== other) return picked?.label;
  const typed = await window.showInputBox({
    title: l10n.t('Add Machine'),
    prompt: l10n.t('A host of your SSH configuration, or user@host. `ssh` must reach it.'),
    placeHolder: 'me@gpu1.example',
    ignoreFocusOut: true,
    validateInput: (value) => {
      try {
        checkHost(value.trim());
        return undefined;
      } catch (error) {
        return value.trim() === '' ? undefined : messageOf(error);
      }
    },
  });
  return typed?.trim() ? checkHost(typed.trim()) : undefined;
}

async function setHosts(change: (hosts: string[]) => string[]): Promise<void> {
  const settings = workspace.getConfiguration('unimiss');
  const hosts = settings.get<unknown>('machines');
  const now = Array.isArray(hosts) ? hosts.filter((host) => typeof host === 'string') : [];
  await settings.update('machines', change(now), ConfigurationTarget.Global);
}

/** The machine of the row that was clicked, else the only candidate, else the one that the user picks. */
async function choose(
  { machines }: Context,
  given: unknown,
  title: string,
  fits: (machine: Machine) => boolean,
): Promise<Machine | undefined> {
  if (typeof given === 'object' && given !== null && 'machine' in given && typeof given.machine === 'string')
    return machines.get(given.machine);
  const candidates = machines.all.filter(fits);
  const [only] = candidates;
  if (!only)
    throw new UnimissError('daemon', l10n.t('no machine can do this now'), {
      remedy: l10n.t('Add or connect one with "UniMiSS: Add Machine" or "UniMiSS: Connect Machine".'),
    });
  if (candidates.length === 1) return only;
  const items = candidates.map((machine) => ({ label: machine.host, machine }));
  return (await window.showQuickPick(items, { title, placeHolder: l10n.t('Which machine?') }))?.machine;
}

function machineNamed({ machines }: Context, host: string): Machine {
  const machine = machines.get(host);
  if (machine) return machine;
  throw new UnimissError('config', l10n.t('{0} could not be added', host), { place: 'unimiss.machines' });
}
