/** What is wrong with a PyTorch file; `PthFile` says where and what to do. */
export class PthProblem extends RangeError {}

/** A text of a file in a message: short, in quotes, nothing but visible ASCII. */
export function quoted(text: string): string {
  const short = text.length > 80 ? `${text.slice(0, 80)}…` : text;
  return JSON.stringify(short).replace(/[^\x20-\x7e…]/g, '?');
}
