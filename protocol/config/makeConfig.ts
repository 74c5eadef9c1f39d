import { applyEdits, modify } from 'jsonc-parser';
import { UnimissError } from '../errors.ts';
import { chooseKind } from './chooseKind.ts';
import { configKinds } from './index.ts';
import type { ChoiceFields, ConfigKind, TemplateChoices } from './kind.ts';

/**
 * The text of a new configuration with comments: the template of its kind with these choices.
 * @param task default: the first kind
 * @throws UnimissError 'config' if the list has no such kind, or the kind takes one folder and several are given
 */
export function makeConfig(
  { task, ...choices }: TemplateChoices & { readonly task?: string | undefined },
  kinds: readonly ConfigKind[] = configKinds,
): string {
  const chosen = chooseKind(task, kinds);
  if ('message' in chosen) throw new UnimissError('config', chosen.message, { place: 'task', remedy: chosen.remedy });
  const { title, template, choiceFields } = chosen.kind;
  const { folders = [] } = choices;
  if (choiceFields.folder !== undefined && folders.length > 1)
    throw new UnimissError('config', `${title} takes one folder, but ${folders.length} are given`, {
      place: choiceFields.folder,
      remedy: 'Give one folder.',
    });
  const values: Record<keyof ChoiceFields, unknown> = {
    folders: choices.folders,
    folder: folders[0],
    preset: choices.preset,
    name: choices.name ?? runNameOf(folders),
    device: choices.device,
  };
  const ofPreset = Object.entries(chosen.kind.presetValues?.[choices.preset ?? ''] ?? {});
  const sized = ofPreset.reduce((text, [field, value]) => setField(text, field.split('.'), value), template);
  return Object.entries(choiceFields).reduce((text, [choice, field]) => {
    const value = values[choice as keyof ChoiceFields];
    return value === undefined ? text : setField(text, field.split('.'), value);
  }, sized);
}

/** A name for a run on folders: that of the first, as far as it can be one. */
export function runNameOf([first = '']: readonly string[]): string | undefined {
  const name = first
    .split(/[/\\]/)
    .findLast((part) => part !== '')
    ?.normalize('NFKD')
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '')
    .slice(0, 64);
  return name || undefined;
}

/** Sets a field in the text of a configuration. Comments stay. */
export function setField(text: string, path: string[], value: unknown): string {
  return applyEdits(text, modify(text, path, value, { formattingOptions: { insertSpaces: true, tabSize: 2 } }));
}
