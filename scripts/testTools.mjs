/** Where tests need no more than Node and TensorFlow, and where they need a browser too; all others may need an editor. */
const plain = /^(\.\/)?(daemon|protocol|extension|scripts|test\/(daemon|golden|integration|bench|needs))\b/;
const page = /^(\.\/)?(webviews|test\/metrics)\b/;

/** Options of Vitest that are followed by their value. */
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
 * What the tests that Vitest's arguments choose need: `editor` (VS Code's server, and a browser), `browser`, or undefined for
 * neither. Arguments without a dash are parts of paths of tests; without any, all tests are run.
 * @param {readonly string[]} args
 * @returns {'editor' | 'browser' | undefined}
 */
export function toolsFor(args) {
  const paths = args.filter((arg, i) => !arg.startsWith('-') && !withValue.has(args[i - 1]));
  if (paths.length > 0 && paths.every((path) => plain.test(path))) return undefined;
  if (paths.length > 0 && paths.every((path) => plain.test(path) || page.test(path))) return 'browser';
  return /--project[= ]units/.test(args.join(' ')) ? 'browser' : 'editor';
}
