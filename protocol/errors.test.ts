import { expect, it } from 'vitest';
import { oneLineOf, UnimissError, withRemedy } from './errors.ts';

it('a remedy stands below what is wrong, or beside it in one line', () => {
  const details = { place: '/a.nii', remedy: 'Export it again.' };
  expect(new UnimissError('data', 'is cut short', details).message).toBe('/a.nii: is cut short\n  Export it again.');
  expect(new UnimissError('data', 'is cut short').message).toBe('is cut short');
  expect(withRemedy('is cut short', details.remedy)).toBe('is cut short. Export it again.');
  expect(withRemedy('is cut short', undefined)).toBe('is cut short');
  const error = new UnimissError('data', 'is cut short', details);
  expect(oneLineOf(error)).toBe('/a.nii: is cut short. Export it again.');
  expect(oneLineOf(error, '/a.nii')).toBe('is cut short. Export it again.');
});
