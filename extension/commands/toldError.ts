import { UnimissError } from '../../protocol/errors.ts';

const begin = 'unimiss: ';

/** The last error that a command of `unimiss` told, with its remedy on further lines; undefined: none, or a defect of its own. */
export function toldError(written: string): UnimissError | undefined {
  const lines = written.trimEnd().split('\n');
  const at = lines.findLastIndex((line) => line.startsWith(begin));
  const [first, ...others] = lines.slice(at);
  if (at < 0 || first === undefined || first.startsWith(`${begin}internal error`)) return undefined;
  const remedy = others.map((line) => line.trim()).join(' ');
  return new UnimissError('run', first.slice(begin.length), remedy === '' ? {} : { remedy });
}
