import type { Engine, Variable } from '../../engine/index.ts';
import type { MitConfig } from '../../model/config.ts';
import { parameterTable } from '../../model/parameters.ts';
import { AdamW } from '../optimizers/adamW.ts';
import { type FirstValues, seededValues } from '../parameters/firstValues.ts';
import { type NamedTensor, type ReadTensor, readRequired } from '../parameters/namedTensor.ts';
import { ParameterSet } from '../parameters/parameterSet.ts';
import { type UpdateGroup, updateGroupOf, updateGroups } from './groups.ts';
import { type Centers, centerCount } from './loss.ts';

/** Everything that a pre-training run changes: student, teacher, Adam's moments, centre and counts, as TensorFlow variables. */
export interface PretrainState {
  readonly config: MitConfig;
  readonly student: ParameterSet;
  readonly teacher: ParameterSet;
  readonly optimizer: AdamW<UpdateGroup>;
  /** Mean of the teacher's outputs, [1, out]; separate ones of pictures, volumes and slices [3, out]. */
  readonly center: Variable;
  /** The optimiser's counts: each step raises them. Set them when loading a checkpoint. */
  readonly counts: Record<UpdateGroup, number>;
  /** The tensors of a checkpoint. If they are read one after the other, only one is in memory at a time. */
  tensors(): NamedTensor[];
  /**
   * Loads a checkpoint's tensors (reference's names and layout, see `NamedTensor`).
   * @throws UnimissError, which names the first tensor that is missing, has another size or cannot be represented.
   */
  load(read: ReadTensor): Promise<void>;
  dispose(): void;
}

/**
 * A state at the beginning of training: student and teacher equal, moments and centre 0.
 * @param from a seed, which determines everything, or values of the student; null: zeros, if a checkpoint is loaded next
 */
export function createPretrainState(
  engine: Engine,
  config: MitConfig,
  from: number | FirstValues | null,
  centers: Centers = 'shared',
): PretrainState {
  const table = parameterTable(config);
  const first = typeof from === 'number' ? seededValues(from) : (from ?? undefined);
  const student = ParameterSet.create(engine, 'student', table, first);
  const teacher = ParameterSet.create(engine, 'teacher', table, first && student);
  const optimizer = new AdamW(engine, student, { groups: updateGroups, groupOf: updateGroupOf });
  const centerShape = [centerCount(centers), config.head.out];
  const center = engine.variable('center', centerShape);
  const sets = [student, teacher, ...optimizer.slots];
  return {
    config,
    student,
    teacher,
    optimizer,
    center,
    counts: optimizer.counts,
    tensors: () => [
      ...sets.flatMap((set) => set.tensors()),
      { name: 'center', shape: centerShape, read: () => center.value() },
    ],
    async load(read) {
      for (const set of sets) await set.load(read);
      center.assign(await readRequired(read, 'center', centerShape));
    },
    dispose() {
      student.dispose();
      teacher.dispose();
      optimizer.dispose();
      center.dispose();
    },
  };
}
