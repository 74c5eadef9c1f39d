import { resolveConfig } from '../../../protocol/config/index.ts';
import { parseConfig } from '../../../protocol/config/parseConfig.ts';
import { requirePretrain } from '../../../protocol/config/pretrain/index.ts';
import { CheckpointStore } from '../../checkpoint/store.ts';
import { parameterTable } from '../../model/parameters.ts';
import { RunFolder } from '../folder/runFolder.ts';
import { modelConfig } from '../start/modelConfig.ts';

const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** A pre-training run of the smallest preset with a checkpoint after 5 steps: students of 2, teachers of 3. */
export async function pretrainedRun(root: string): Promise<RunFolder> {
  const text = JSON.stringify({
    name: 'first',
    data: { paths: [root] },
    model: { preset: 'nano', size2D: [64, 64], size3D: [32, 64, 64], head: { hidden: 16, bottleneck: 8, outDim: 16 } },
  });
  const run = await RunFolder.create(root, text, resolveConfig(parseConfig(text, 'test'), { baseDir: root }));
  const specs = parameterTable(modelConfig(requirePretrain(run.config).model));
  const tensors = Object.entries({ student: 2, teacher: 3, exp_avg: 4 }).flatMap(([role, value]) =>
    specs.map(({ name, shape }) => ({
      ...{ name: `${role}.${name}`, shape: [...shape], dtype: 'F32' as const },
      read: () => new Float32Array(size(shape)).fill(value),
    })),
  );
  const metadata = { format: 'unimiss-checkpoint-2', task: 'pretrain', counters: '{"step":5}' };
  await new CheckpointStore(run.checkpointsFolder).save(5, tensors, metadata);
  return run;
}
