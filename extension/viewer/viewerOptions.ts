import { ConfigurationTarget, workspace } from 'vscode';
import { z } from 'zod';
import { conventions } from '../../protocol/viewer/displayNames.ts';
import type { ViewerOptions } from '../../protocol/viewer/settings.ts';

const section = 'unimiss.viewer';
const windows = z.record(z.string().min(1).max(40), z.tuple([z.number(), z.number().positive()]));

/** The user's settings; what is not sound in them counts as not set. */
export function readOptions(): ViewerOptions {
  const settings = workspace.getConfiguration(section);
  return {
    convention: z.enum(conventions).catch('radiological').parse(settings.get('convention')),
    predict: workspace.isTrusted,
    windows: windows.catch({}).parse(settings.get('windows')),
  };
}

export async function setConvention(convention: ViewerOptions['convention']): Promise<void> {
  await workspace.getConfiguration(section).update('convention', convention, ConfigurationTarget.Global);
}
