import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { imagesOfInput } from './inputs.ts';

const base = mkdtempSync(join(tmpdir(), 'um-inputs-'));
afterAll(() => rmSync(base, { recursive: true }));

it('a table that is a named pipe is refused: nobody waits for its writer', async () => {
  const pipe = join(base, 'pipe.csv');
  execFileSync('mkfifo', [pipe]);
  await expect(imagesOfInput(pipe, { modality: '3D', channels: [] })).rejects.toMatchObject({
    ...{ code: 'data', what: 'is a named pipe, not a file', details: { place: pipe } },
  });
});
