import type { BuildOptions } from 'esbuild';

export const common: BuildOptions;
export const node: BuildOptions;
export const daemonBundle: BuildOptions;
