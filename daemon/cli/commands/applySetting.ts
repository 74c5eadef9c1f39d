import { findNodeAtLocation, type Node, parseTree } from 'jsonc-parser';
import { setField } from '../../../protocol/config/makeConfig.ts';
import { UnimissError } from '../../../protocol/errors.ts';

/**
 * Applies a setting of the command line (`train.epochs=20`) to a configuration's text and keeps comments. Values that are not JSON
 * count as strings.
 * @throws UnimissError 'config' if it is not key=value, or the key leads into a value without fields
 */
export function applySetting(text: string, setting: string): string {
  const [, key, value] = /^([\w.-]+)=(.*)$/s.exec(setting) ?? [];
  if (!key || value === undefined)
    throw new UnimissError('config', `"${setting}" is not key=value`, {
      place: '--set',
      remedy: 'For example: --set train.epochs=20',
    });
  const tree = parseTree(text);
  if (!tree) return text; // parseConfig explains what is wrong with it
  const path = key.split('.');
  if (path.includes(''))
    throw new UnimissError('config', `"${key}" is not a field name`, {
      place: '--set',
      remedy: 'Separate the names of objects and fields with single dots, as in train.epochs.',
    });
  checkWay(tree, path);
  return setField(text, path, jsonOr(value));
}

/** The setting that gave the value of a field, as a place for messages: `--set train.epoch=3`. */
export function settingOf(field: string, settings: readonly string[]): string | undefined {
  const found = settings.findLast((setting) => {
    const key = setting.split('=', 1)[0] ?? '';
    return key === field || field.startsWith(`${key}.`) || key.startsWith(`${field}.`);
  });
  return field === '' || found === undefined ? undefined : `--set ${found}`;
}

/** Rejects a path through a value that is not an object. */
function checkWay(tree: Node, path: string[]): void {
  for (let length = 0; length < path.length; length++) {
    const way = path.slice(0, length);
    const node = findNodeAtLocation(tree, way);
    if (!node) return; // `modify` creates it
    if (node.type === 'object') continue;
    const field = way.join('.');
    const what = field === '' ? 'the configuration is not an object' : `"${field}" is ${described[node.type]}`;
    const whole = node.type === 'array' ? `${field}=["…", "…"]` : `${field}=…`;
    throw new UnimissError('config', `${what}, so it cannot contain "${path.join('.')}"`, {
      place: '--set',
      remedy: field === '' ? 'Enclose it in braces.' : `Set the whole value: --set '${whole}'`,
    });
  }
}

const described: Record<Node['type'], string> = {
  array: 'a list',
  boolean: 'true or false',
  null: 'null',
  number: 'a number',
  object: 'an object',
  property: 'a field',
  string: 'a string',
};

function jsonOr(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}
