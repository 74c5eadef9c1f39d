/** A stretch of time in which a window comes or goes, ms since 1970; without `to` it lasts. */
export interface Restless {
  from: number;
  to?: number;
}

/** Frames of VS Code and its built-in extensions, and of Node. */
const foreignFrame = /\/(vscode|static)\/(out|extensions)\/|\(?node:|<anonymous>/;

/** Whether an error has a stack, and nobody in it but VS Code. */
export function isForeign(error: string): boolean {
  const frames = error.split('\n').filter((line) => /^\s+at /.test(line));
  return frames.length > 0 && frames.every((frame) => foreignFrame.test(frame)) && !own.test(error);
}

/** By this the extension is known: its folder `unimiss.unimiss-0.1.0`, its view `unimiss.runs`. */
const own = /\bunimiss\.[a-z]/i;

/** What each extension host says of whatever was under way when its window was closed. */
const cutOff = /Channel has been closed|: Canceled$/m;

/** VS Code asks for the children of a row that it showed a moment ago, and which the tree has let go since. */
const goneRow = /\[error\] No tree item with id '[^']*' found\.\s*$/;

/**
 * The errors in the log of an extension host that are, or may be, those of an extension that was installed. Not: what VS Code's
 * own code threw and no other took part in, and, while a window comes or goes, what has no stack and names no such extension, or
 * says only that the window is gone. (It then has quarrels of its own over the lock of a workspace's storage.)
 */
export function extensionErrors(log: string, restless: readonly Restless[]): string[] {
  return log
    .split(/\n(?=\d{4}-\d\d-\d\d )/)
    .filter((entry) => entry.includes('[error]'))
    .filter((entry) => {
      const time = Date.parse(entry.slice(0, 23));
      const calm = !restless.some(({ from, to }) => time >= from && time <= (to ?? Number.POSITIVE_INFINITY));
      if (goneRow.test(entry) || (!calm && cutOff.test(entry))) return false;
      return own.test(entry) || (!isForeign(entry) && (calm || /^\s+at /m.test(entry)));
    });
}
