import type { RunRecord } from '../../../protocol/records/records.ts';
import type { RunProgress } from '../../train/progress.ts';

/** Listens to a run in progress. Records are already on the disk when it receives them. */
export interface RunListener {
  onRecord?(record: RunRecord): void;
  onProgress?(progress: RunProgress): void;
  /** The present preparation: looking for images, opening TensorFlow, compiling. */
  onStage?(stage: string): void;
}
