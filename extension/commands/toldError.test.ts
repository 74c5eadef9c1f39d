import { expect, test } from 'vitest';
import { toldError } from './toldError.ts';

test('the error that a command wrote is told whole, not its last line alone', () => {
  const written = 'Run 1 of 6: a-s1\nunimiss: /a/experiment.json: was changed\n  Restore it.\n  Or copy it.\n';
  expect(toldError(written)).toMatchObject({
    what: '/a/experiment.json: was changed',
    details: { remedy: 'Restore it. Or copy it.' },
  });
  expect(toldError('unimiss: no space left\n')).toMatchObject({ what: 'no space left', details: {} });
  expect(toldError('Segmentation fault\n')).toBeUndefined();
  expect(toldError('unimiss: internal error. Please report it\nError: x\n')).toBeUndefined();
});
