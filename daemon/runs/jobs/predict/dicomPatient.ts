import { stat } from 'node:fs/promises';
import { dicomFilesIn } from '../../../data/formats/dicom/dicomFolder.ts';
import { parseDicom } from '../../../data/formats/dicom/dicomHeader.ts';
import { sniffFile } from '../../../data/formats/image.ts';

/** Tag (0010,0020). */
const patientId = 'x00100020';

/** The patient's number in a DICOM file, or in the first file of a series; undefined for other formats, and where it is empty. */
export async function dicomPatient(path: string): Promise<string | undefined> {
  if ((await sniffFile(path)).format !== 'dicom') return undefined;
  const file = (await stat(path)).isDirectory() ? (await dicomFilesIn(path))[0] : path;
  if (file === undefined) return undefined;
  const { dataSet } = await parseDicom(file);
  return dataSet.string(patientId)?.trim() || undefined;
}
