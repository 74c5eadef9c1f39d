import { basename } from 'node:path';
import { UnimissError } from '../../../../protocol/errors.ts';
import { findFiles, idOf, imagesAmong } from '../../../data/datasets/files.ts';
import type { CaseFiles } from '../../../data/prepared/settings.ts';
import type { NetworkPlan } from '../../folder/networkPlan.ts';

/** nnU-Net's names of the files of one image: `liver_001_0000.nii.gz` is its first channel. */
const channelName = /^(?<name>.+)_(?<channel>\d{4})(?<ending>\.[^/]+)$/;

/**
 * The images of an input: one a file, or one for all files `NAME_0000`, `NAME_0001`, … where the network takes several channels from volumes.
 * Their ids name their results: the path below the input, without its ending.
 * @throws UnimissError 'data' where there is none, or channels are missing
 */
export async function imagesOfInput(
  input: string,
  plan: Pick<NetworkPlan, 'channels' | 'modality'>,
): Promise<CaseFiles[]> {
  const { root, files } = await findFiles([input]);
  const images = imagesAmong(files);
  if (images.length === 0)
    throw new UnimissError('data', 'there is no image', {
      place: input,
      remedy: 'UniMiSS reads NIfTI, NRRD, MetaImage, PNG and JPEG; see docs/data.md.',
    });
  const several = plan.channels.length > 1 && plan.modality === '3D';
  const cases = new Map<string, string[]>();
  for (const path of images) {
    const id = idOf(root, path);
    const name = several ? channelName.exec(id)?.groups : undefined;
    const key = withoutEnding(name ? `${name.name}${name.ending}` : id);
    cases.set(key, [...(cases.get(key) ?? []), path]);
  }
  return [...cases].map(([id, paths]) => {
    const wanted = several ? plan.channels.length : 1;
    if (paths.length === wanted) return { id, images: paths };
    const remedy = several
      ? `Name its ${wanted} channels ${basename(id)}_0000, ${basename(id)}_0001 and so on: ${plan.channels.map(({ name }) => name).join(', ')}.`
      : 'Rename one of them: their results would have the same name.';
    throw new UnimissError('data', `there are ${paths.length} files of the image "${id}", but ${wanted} expected`, {
      place: paths.join(', '),
      remedy,
    });
  });
}

export function withoutEnding(path: string): string {
  return path.replace(/\.(nii\.gz|seg\.nrrd|[^./]+)$/i, '');
}
