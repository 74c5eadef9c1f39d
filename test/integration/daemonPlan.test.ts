import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { parseConfig } from '../../protocol/config/parseConfig.ts';
import { dataPlan } from '../../protocol/config/planMessages.ts';
import { DaemonPlace } from '../daemon/harness.ts';
import { putNnunet } from '../labelled/makeSets.ts';

/** The real bundle: its threads read the images. */
const place = new DaemonPlace(resolve('dist/daemon/main.js'));
afterAll(() => place.close());

it('plans a data set for a client: a configuration, and what is wrong with the data', async () => {
  const path = await putNnunet(join(place.folder, 'set'), { cases: 6 });
  rmSync(join(path, 'labelsTr/case_002.nii'));
  const client = await place.client();
  const { text, about, findings, tight } = await client.call(dataPlan, { path, folds: 2 });
  expect(parseConfig(text, 'plan')).toMatchObject({ task: 'finetune', data: { path, folds: 2, layout: 'nnunet' } });
  expect(about).toContain('set: 3D segmentation, 5 labelled cases');
  expect(tight).toBe(false);
  expect(findings).toMatchObject([
    { severity: 'error', kind: 'missingLabel', place: join(path, 'imagesTr/case_002_0000.nii') },
  ]);
});

it('refuses a relative path and an unknown preset, each with a remedy', async () => {
  const client = await place.client();
  await expect(client.call(dataPlan, { path: 'set' })).rejects.toMatchObject({ code: 'run' });
  await expect(client.call(dataPlan, { path: place.folder, preset: 'bvc' })).rejects.toMatchObject({
    code: 'config',
    details: { remedy: 'Did you mean "bcv"?' },
  });
});
