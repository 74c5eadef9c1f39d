import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type ExtensionContext, type LogOutputChannel, l10n } from 'vscode';
import type { Way } from './daemonClient.ts';
import { makeLanguageClient } from './languageClient.ts';
import { NoDaemonHere } from './noDaemonHere.ts';

/** To the daemon of this machine. Elsewhere than on Linux there is none: images can be viewed, and other machines train. */
export function localWay(extension: ExtensionContext, output: LogOutputChannel, platform = process.platform): Way {
  return {
    makeClient: async () => {
      if (platform !== 'linux')
        throw noDaemonHere(l10n.t('UniMiSS trains on Linux, but this is {0}', nameOf(platform)));
      if (!hasNativeModule(extension.extensionPath))
        throw noDaemonHere(l10n.t('this package has no native module to train here'));
      return makeLanguageClient(extension, output);
    },
  };
}

function noDaemonHere(what: string): NoDaemonHere {
  return new NoDaemonHere('daemon', what, {
    remedy: l10n.t('Train on another machine: "UniMiSS: Add Machine" connects one by SSH. You can view images here.'),
  });
}

function nameOf(platform: NodeJS.Platform): string {
  return { darwin: 'macOS', win32: l10n.t('Windows') }[platform as string] ?? platform;
}

/** koffi lies beside the daemon in a package, and among the packages in a clone. */
function hasNativeModule(folder: string): boolean {
  return [join(folder, 'dist', 'daemon'), folder].some((place) => existsSync(join(place, 'node_modules', 'koffi')));
}
