import { join } from 'node:path';
import { type Box, put, putLabels, putMask, putNnunet, putPicture, putVolume, type VolumeSpec } from './makeSets.ts';

/** Makers of a tiny data set in the layout of each preset (docs/datasets/); each gives the path to plan. */
export const presetSets: Readonly<Record<string, (root: string) => Promise<string>>> = {
  bcv: (root) => organs(root, 'CT', bcvOrgans, {}),
  chaos: (root) => organs(root, 'MR', chaosOrgans, { range: [0, 400] }),
  async ricord(root) {
    const lines = ['path,label,patient'];
    for (let n = 0; n < 8; n++) {
      await putVolume(join(root, `images/${n}.nii`));
      lines.push(`images/${n}.nii,${n % 2 === 0 ? 'covid' : 'no covid'},patient ${n}`);
    }
    return put(join(root, 'labels.csv'), `${lines.join('\n')}\n`);
  },
  async jsrt(root) {
    for (let n = 0; n < 4; n++) {
      const name = `JPCLN00${n}.png`;
      await putPicture(join(root, 'images', name));
      for (const [structure, from, to] of [
        ['clavicles', 4, 10],
        ['heart', 14, 22],
        ['lungs', 6, 26],
      ] as const)
        await putMask(join(root, 'masks', structure, name), [from, to]);
    }
    return root;
  },
  async 'cxr-covid-19'(root) {
    for (const split of ['train', 'test'])
      for (const name of ['covid-19', 'pneumonia', 'normal'])
        for (let n = 0; n < 2; n++) await putPicture(join(root, split, name, `${n}.png`));
    return root;
  },
  async isic(root) {
    for (let n = 0; n < 4; n++) {
      await putPicture(join(root, `images/ISIC_000000${n}.png`), { color: true });
      await putMask(join(root, `masks/ISIC_000000${n}_segmentation.png`), [8, 20]);
    }
    return root;
  },
};

const chaosOrgans = ['liver', 'right kidney', 'left kidney', 'spleen'];
const bcvOrgans = [
  ...['spleen', 'right kidney', 'left kidney', 'gallbladder', 'esophagus', 'liver', 'stomach', 'aorta'],
  ...['inferior vena cava', 'portal and splenic vein', 'pancreas', 'right adrenal gland', 'left adrenal gland'],
];

/** nnU-Net's layout with a label for each organ; those of the left lie on the left. */
async function organs(root: string, channel: string, names: readonly string[], volume: VolumeSpec): Promise<string> {
  const shape = [8, 24, 24] as const;
  const labels = Object.fromEntries(['background', ...names].map((name, value) => [name, value]));
  const spec = { ...volume, shape };
  await putNnunet(root, {
    cases: 4,
    channels: [channel],
    labels: { background: 0, [names[0] ?? '']: 1 },
    volume: spec,
  });
  await put(
    join(root, 'dataset.json'),
    JSON.stringify({ channel_names: { 0: channel }, labels, numTraining: 4, file_ending: '.nii' }),
  );
  const boxes = Object.fromEntries(
    names.map((name, i): [number, Box] => {
      const column = name.startsWith('left') ? 18 : 4;
      return [
        i + 1,
        [
          [1, 1 + i, column],
          [7, 2 + i, column + 3],
        ],
      ];
    }),
  );
  for (let n = 1; n <= 4; n++) await putLabels(join(root, `labelsTr/case_00${n}.nii`), boxes, spec);
  return root;
}
