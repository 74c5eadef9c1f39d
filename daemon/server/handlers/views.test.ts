import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { runViews } from '../../../protocol/runs/viewsMessages.ts';
import { viewHandlers } from './views.ts';

const base = mkdtempSync(join(tmpdir(), 'um-views-'));
afterAll(() => rmSync(base, { recursive: true }));
const pipe = join(base, 'pipe.nii');
execFileSync('mkfifo', [pipe]);
mkdirSync(join(base, 'folder'));

it.each([
  [pipe, 'is a named pipe, not a file'],
  ['/dev/zero', 'is not a regular file'],
  [join(base, 'folder'), 'is a folder'],
  [join(base, 'nothing.nii'), 'does not exist'],
  ['pipe.nii', 'is not an absolute path'],
])('of %s there are no views, and nobody waits: it %s', async (image, what) => {
  const [views] = viewHandlers({ registry: { find: async () => ({ config: { task: 'pretrain' } }) } } as never);
  const asked = runViews.params.parse({ run: '/runs/a', image, epoch: 0 });
  await expect(views?.answer(asked, {} as never)).rejects.toMatchObject({ what, details: { place: image } });
});
