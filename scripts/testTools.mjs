/** Paths whose tests need only Node and TensorFlow, and those that also need a browser; all others may need an editor. */
const plain =
  /^(\.\/)?(daemon|protocol|extension|machines|scripts|test\/(daemon|golden|integration|bench|machines|needs))\b/;
const page = /^(\.\/)?(webviews|test\/metrics)\b/;

/** Options of Vitest that take a value. */
const withValue = new Set([
  '-t',
  '--testNamePattern',
  '-c',
  '--config',
  '--project',
  '--reporter',
  '--bail',
  '--retry',
]);

/**
 * The needs of the tests that Vitest's arguments select: `editor` (VS Code's server, and a browser), `browser`, or undefined for
 * neither. Arguments without a dash are parts of test paths; without any, all tests run.
 * @param {readonly string[]} args
 * @returns {'editor' | 'browser' | undefined}
 */
export function toolsFor(args) {
  const paths = args.filter((arg, i) => !arg.startsWith('-') && !withValue.has(args[i - 1]));
  if (paths.length > 0 && paths.every((path) => plain.test(path))) return undefined;
  if (paths.length > 0 && paths.every((path) => plain.test(path) || page.test(path))) return 'browser';
  return /--project[= ]units/.test(args.join(' ')) ? 'browser' : 'editor';
}
