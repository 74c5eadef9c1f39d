import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, join, posix } from 'node:path';
import { ConfigurationTarget, l10n, ProgressLocation, Uri, window, workspace } from 'vscode';
import { checkHost } from '../../machines/host.ts';
import { hostsInSshConfig } from '../../machines/sshConfig.ts';
import { configCheck, engineInfoRequest, engineInstall, runCreate } from '../../protocol/daemon/messages.ts';
import { messageOf, UnimissError } from '../../protocol/errors.ts';
import { configSuffix, isConfig } from '../configuration/configFiles.ts';
import type { Context } from '../context.ts';
import { addressed } from '../machines/addressed.ts';
import type { Machine } from '../machines/machine.ts';
import { withProgress } from '../withProgress.ts';

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
  const install = l10n.t('Install TensorFlow There');
  void window
    .showInformationMessage(
      l10n.t('{0} is connected. {1} TensorFlow is not installed there yet.', host, found),
      install,
    )
    .then((answer) => {
      if (answer === install) return installEngine(ctx, machine).catch((error) => ctx.output.error(messageOf(error)));
    });
}

async function installEngine(ctx: Context, { client, host }: Machine): Promise<void> {
  const picked = await window.showQuickPick(
    [
      { label: 'CPU', description: l10n.t('for every machine: 261 MiB, 814 MiB on disk'), device: 'cpu' as const },
      { label: 'CUDA', description: l10n.t('for NVIDIA GPUs: several GiB'), device: 'cuda' as const },
    ],
    { title: l10n.t('Install TensorFlow on {0}', host), placeHolder: l10n.t('Which processor should TensorFlow use?') },
  );
  if (!picked) return;
  const { device } = picked;
  const title = l10n.t('UniMiSS: installing TensorFlow on {0}', host);
  const { version } = await withProgress(client, title, (workDoneToken, token) =>
    client.request(engineInstall, { device, workDoneToken }, token),
  );
  ctx.output.info(`${host}: TensorFlow ${version ?? ''} is installed`);
  void window.showInformationMessage(l10n.t('TensorFlow {0} is ready on {1}.', version ?? '', host));
}

/** Starts a run of a configuration on a machine. Its paths are paths there; relative ones start beside the folder of runs. */
async function startOn(ctx: Context, { client, host }: Machine, file: Uri): Promise<void> {
  const document = await workspace.openTextDocument(file);
  if (document.isDirty) await document.save();
  const config = document.getText();
  const { problems } = await client.request(configCheck, { text: config });
  const [first] = problems;
  if (first) throw new UnimissError('config', first.message, { place: file.fsPath });
  const { state } = client;
  const home = state.kind === 'connected' ? posix.dirname(state.runsRoot) : '/';
  const { notices, ...run } = await client.request(runCreate, {
    from: { config, file: posix.join(home, basename(file.fsPath)) },
  });
  const known = addressed(host, run);
  ctx.store.put(known);
  for (const notice of notices) void window.showInformationMessage(notice);
  await ctx.view.show();
  ctx.panels.show([known.folder]);
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
    throw new UnimissError('daemon', l10n.t('there is no machine for this'), {
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
