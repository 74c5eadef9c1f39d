import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { findChromium } from '../../needs.ts';

/** The themes in which everything is to be looked at. */
export const themes = {
  dark: 'Dark 2026',
  light: 'Light 2026',
  'hc-dark': 'Default High Contrast',
  'hc-light': 'Default High Contrast Light',
} as const;
export type Theme = keyof typeof themes;

/** Nothing that moves, asks or fetches by itself. */
export const settings = {
  'chat.disableAIFeatures': true,
  'editor.cursorBlinking': 'solid',
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': false,
  'extensions.ignoreRecommendations': true,
  'extensions.webWorker': false,
  'git.openRepositoryInParentFolders': 'never',
  'telemetry.telemetryLevel': 'off',
  'window.autoDetectColorScheme': false,
  'window.autoDetectHighContrast': false,
  'workbench.reduceMotion': 'on',
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.startupEditor': 'none',
};

export const serverFlags = [
  ...['--host', '127.0.0.1', '--without-connection-token', '--accept-server-license-terms'],
  ...['--telemetry-level', 'off', '--disable-experiments', '--disable-getting-started-override'],
  ...['--disable-update-check', '--force-disable-user-env'],
];

/** Every workspace is trusted. */
export const noTrustFlag = '--disable-workspace-trust';

/** No workspace is trusted until somebody says so. */
export const untrustedSettings = {
  'security.workspace.trust.startupPrompt': 'never',
  'security.workspace.trust.banner': 'never',
};

export const browserFlags = [
  ...['--disable-background-networking', '--disable-component-update', '--disable-gpu', '--disable-quic'],
  ...['--disable-sync', '--enable-unsafe-swiftshader', '--no-first-run', '--no-sandbox'],
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
];

/** What the console of a workbench without extensions says too: text, then address. */
export const noise =
  /ServiceWorker|bad HTTP response code|authentication provider 'github'|\/vsda\/|\/_static\/|\/update\/check/;

/** How long a server, a page or an extension host may take to start, ms. */
export const startTimeout = 240_000;

/** A file of this folder. */
export function kitFile(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

/** Why the editor tests cannot run on this machine, as a sentence; '' where they can. Root on Debian can always. */
export function whyNotHere(): string {
  if (process.platform !== 'linux') return `no VS Code server is known for ${process.platform}`;
  return execFileSync(kitFile('setup.sh'), ['--check'], { encoding: 'utf8' }).trim();
}

let installed: string | undefined;

/** The folder with the server, its Node and playwright-core; installs what is missing (1 to 2 minutes at first). */
export function installation(): string {
  installed ??= execFileSync(kitFile('setup.sh'), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim();
  return installed;
}

/** Debian's chromium, which `installation` has installed where it was missing. */
export function chromium(): string {
  const found = findChromium();
  if (!found) throw new Error('chromium is missing: apt-get install chromium');
  return found;
}
