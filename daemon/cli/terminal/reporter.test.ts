import { expect, it } from 'vitest';
import { Reporter, writeError } from './reporter.ts';

/** What a terminal of a width shows of a progress line. */
function shown(text: string, columns: number | undefined): string {
  let written = '';
  const err = { isTTY: true, columns, write: (part: string) => (written += part) } as unknown as NodeJS.WriteStream;
  new Reporter({ err }).progress(text);
  return written.replace('\r\x1b[K', '');
}

it('a progress line is cut to the width of the terminal', () => {
  const text = 'epoch 3/200 · '.repeat(10);
  expect(shown('short', 80)).toBe('short');
  expect(shown(text, 40)).toBe(`${text.slice(0, 38)}…`);
  expect(shown(text, 200)).toBe(text);
});

it.each([0, 1, 19, undefined])('a terminal of %s columns counts as 80 wide', (columns) => {
  const text = 'epoch 3/200 · '.repeat(10);
  expect(shown(text, columns)).toBe(`${text.slice(0, 78)}…`);
});

it('escape sequences in what it shows are shown, not obeyed', () => {
  let written = '';
  const stream = { isTTY: false, write: (part: string) => (written += part) } as unknown as NodeJS.WriteStream;
  const name = 'ct\x1b]0;owned\x07\x9b2J\r.nii';
  const reporter = new Reporter({ out: stream, err: stream });
  reporter.line(name);
  reporter.notice(name);
  reporter.progress(name, true);
  new Reporter({ json: true, out: stream, err: stream }).record({ name });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these must not occur
  expect(written).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/);
  expect(written).toContain('ct\\x1b]0;owned\\x07\\x9b2J\\x0d.nii\n');
});

it('an error begins on a line of its own under a progress line, and is wrapped to the terminal', () => {
  let written = '';
  const err = { isTTY: true, columns: 24, write: (part: string) => (written += part) } as unknown as NodeJS.WriteStream;
  const reporter = new Reporter({ err });
  reporter.progress('8 min 18 s left');
  writeError('unimiss: the disk is full, so nothing more is written', err);
  expect(written).toBe('\r\x1b[K8 min 18 s left\nunimiss: the disk is\nfull, so nothing more is\nwritten\n');
  written = '';
  reporter.progress('done', true);
  writeError('unimiss: no', err);
  expect(written.endsWith('done\nunimiss: no\n')).toBe(true);
});

it('without a terminal, the end of work that is reported twice is one line', () => {
  let written = '';
  const err = { isTTY: false, write: (part: string) => (written += part) } as unknown as NodeJS.WriteStream;
  const reporter = new Reporter({ err });
  reporter.progress('1 of 2');
  reporter.progress('2 of 2', true);
  reporter.progress('2 of 2', true);
  expect(written).toBe('1 of 2\n2 of 2\n');
});
