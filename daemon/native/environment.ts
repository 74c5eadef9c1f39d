import { koffi } from './native.ts';

/** Sets variables in C's environment too: `process.env` of the main thread writes through to it, a worker thread's copy does not. */
export function setNativeEnvironment(names: readonly string[]): void {
  const setenv = koffi.load(null).func('int setenv(const char *name, const char *value, int overwrite)');
  for (const name of names) {
    const value = process.env[name];
    if (value !== undefined) setenv(name, value, 1);
  }
}
