import { expect, test } from 'vitest';
import { cacheFolder } from './cacheFolder.ts';

test('the cache follows the variables', () => {
  expect(cacheFolder({ HOME: '/home/a' })).toBe('/home/a/.cache/unimiss');
  expect(cacheFolder({ HOME: '/home/a', XDG_CACHE_HOME: '/big' })).toBe('/big/unimiss');
  expect(cacheFolder({ HOME: '/home/a', XDG_CACHE_HOME: 'relative' })).toBe('/home/a/.cache/unimiss');
  expect(cacheFolder({ HOME: '/home/a', XDG_CACHE_HOME: '/big', UNIMISS_CACHE: '/mine' })).toBe('/mine');
  expect(() => cacheFolder({ UNIMISS_CACHE: 'mine' })).toThrow(/UNIMISS_CACHE: "mine" is not an absolute path/);
});
