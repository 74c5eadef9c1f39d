import util from 'node:util';

/**
 * The kernels of TensorFlow.js call two functions of `node:util` that Node 22 warns about and Node 23 no longer has: these
 * stand in for them.
 */
Object.assign(util, {
  isArray: Array.isArray,
  isNullOrUndefined: (value: unknown) => value === null || value === undefined,
});
