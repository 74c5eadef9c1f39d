import { expect } from 'vitest';
import type { Engine, Executor } from '../../daemon/engine/index.ts';
import { batchMean, pairLoss, targets } from '../../daemon/train/pretrain/loss.ts';
import { computedArray, deviation, readGolden, type Summary, size } from './values.ts';

interface LossFile {
  /** "name * factor" */
  student: string;
  teacher: string;
  shape: number[];
  first: number;
  centreAfterFirst: Summary;
  second: number;
  centreAfterSecond: Summary;
}

/** Outputs as loss.json describes them: u of a name, times a factor. */
function outputs(description: string, length: number): Float32Array {
  const [name, factor] = description.split(' * ') as [string, string];
  return computedArray(name, length, (u) => u * Number(factor));
}

/** The loss and the centre, twice in a row, in one executor. */
export async function checkLoss(engine: Engine, executor: Executor): Promise<void> {
  const golden = readGolden<LossFile>('loss.json');
  const { shape } = golden;
  const centerShape = [1, shape[1]!];
  const step = engine.compile({
    name: 'loss',
    executor,
    inputs: { student: { shape }, teacher: { shape }, center: { shape: centerShape }, temperature: { shape: [] } },
    body: ({ student, teacher, center, temperature }) => {
      const image = teacher!;
      const of = { outputs: { image }, means: { image: batchMean(image) } };
      const moved = targets('2D', of, center!, temperature!, 0.9);
      return { loss: pairLoss(student!, moved.distributions[0]!.probability, 0.1), center: moved.center };
    },
  });
  const student = outputs(golden.student, size(shape));
  const teacher = outputs(golden.teacher, size(shape));
  let center = new Float32Array(size(centerShape));
  const rounds = [
    { loss: golden.first, center: golden.centreAfterFirst },
    { loss: golden.second, center: golden.centreAfterSecond },
  ];
  for (const expected of rounds) {
    const result = await step.run({ student, teacher, center, temperature: 0.04 });
    expect(Math.abs(result.loss![0]! / expected.loss - 1)).toBeLessThan(1e-5);
    center = Float32Array.from(result.center!);
    expect(deviation(center, expected.center).norm).toBeLessThan(1e-5);
    expected.center.first.forEach((value, i) => {
      expect(Math.abs(center[i]! - value)).toBeLessThan(1e-6);
    });
  }
  step.dispose();
}
