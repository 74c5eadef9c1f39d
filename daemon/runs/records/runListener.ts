import type { RunRecord } from '../../../protocol/records/records.ts';
import type { RunProgress } from '../../train/progress.ts';

/** Who wants to know what a run does while it does it. Records are on the disk already when they are told. */
export interface RunListener {
  onRecord?(record: RunRecord): void;
  onProgress?(progress: RunProgress): void;
  /** What is being prepared: looking for images, opening TensorFlow, compiling. */
  onStage?(stage: string): void;
}
