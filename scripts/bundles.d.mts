import type { BuildOptions } from 'esbuild';

export const common: BuildOptions;
export const extensionBundle: BuildOptions;
export const daemonBundle: BuildOptions;
