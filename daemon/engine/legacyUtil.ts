import util from 'node:util';

/**
 * Replaces two functions of `node:util` that the kernels of TensorFlow.js call: Node 22 warns about them, and Node 23 has removed
 * them.
 */
Object.assign(util, {
  isArray: Array.isArray,
  isNullOrUndefined: (value: unknown) => value === null || value === undefined,
});
