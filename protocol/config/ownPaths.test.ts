import { expect, it } from 'vitest';
import { resolveConfig } from './index.ts';
import { withAbsolutePaths } from './ownPaths.ts';
import { parseConfig } from './parseConfig.ts';

const text = `{
  // Images of the first hospital.
  "data": { "paths": ["ct", "/shared/xray"] },
  "train": { "epochs": 3 }
}
`;

it('makes the paths of a configuration those that its run used, and keeps comments and all else', () => {
  const resolved = resolveConfig(parseConfig(text, 'a'), { baseDir: '/home/me/study' });
  const moved = withAbsolutePaths(text, resolved);
  expect(moved).toContain('// Images of the first hospital.');
  expect(parseConfig(moved, 'b')).toEqual({
    ...parseConfig(text, 'a'),
    data: { ...parseConfig(text, 'a').data, paths: ['/home/me/study/ct', '/shared/xray'] },
  });
  // From any folder it now means the same.
  expect(resolveConfig(parseConfig(moved, 'b'), { baseDir: '/elsewhere' })).toEqual(resolved);
});

it('changes nothing where all paths are absolute', () => {
  const absolute = text.replace('"ct"', '"/home/me/study/ct"');
  expect(withAbsolutePaths(absolute, resolveConfig(parseConfig(absolute, 'a'), { baseDir: '/x' }))).toBe(absolute);
});
