import type { TextDocument } from 'vscode';

/** Suffix of configuration files. */
export const configSuffix = '.unimiss.jsonc';

export const isConfig = (document: TextDocument) => document.fileName.endsWith(configSuffix);
