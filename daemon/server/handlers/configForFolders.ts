import { applyEdits, modify } from 'jsonc-parser';
import type { z } from 'zod';
import { pretrainTemplate } from '../../../protocol/config/pretrain/template.ts';
import type { foldersSchema } from '../../../protocol/runs/messages.ts';

/** The text of a configuration for folders with images: the template with comments, filled in. */
export function configForFolders({ folders, preset, name, device }: z.output<typeof foldersSchema>): string {
  const values: [string[], unknown][] = [
    [['data', 'paths'], folders],
    [['model', 'preset'], preset],
    [['engine', 'device'], device],
    ...(name === undefined ? [] : ([[['name'], name]] as [string[], unknown][])),
  ];
  const formattingOptions = { insertSpaces: true, tabSize: 2 };
  return values.reduce(
    (text, [path, value]) => applyEdits(text, modify(text, path, value, { formattingOptions })),
    pretrainTemplate,
  );
}
