import { messageOf } from '../../../protocol/errors.ts';
import type { Finding } from '../../train/training.ts';
import { privacyKey } from '../folder/privacy.ts';
import type { RunFolder } from '../folder/runFolder.ts';
import { ImageHashes } from '../records/imageHashes.ts';

/**
 * The file for the hashes of images that the run reads. Undefined if there can be none; a finding then says why.
 * @param resumes whether the run has done steps before
 */
export async function openImageHashes(
  run: RunFolder,
  resumes: boolean,
): Promise<{ hashes: ImageHashes | undefined; findings: Finding[] }> {
  const none = (why: string) => {
    const message = `The run does not record hashes of its images, so a later leakage check cannot recognise them: ${why}`;
    return { hashes: undefined, findings: [{ event: 'notice' as const, message }] };
  };
  let key: Uint8Array;
  try {
    key = await privacyKey();
  } catch (error) {
    return none(messageOf(error));
  }
  const hashes = await ImageHashes.open(run.imagesFile, key, !resumes);
  return hashes ? { hashes, findings: [] } : none(`${run.imagesFile} contains hashes of another user`);
}
