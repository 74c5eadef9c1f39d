import { accumulate as addTo, type Engine, Line, type StepValue } from '../../engine/index.ts';
import { mul, type Tensor, zerosLike } from '../../engine/ops/index.ts';
import { ourShape } from '../../model/layout.ts';
import { trainedBy } from '../parameters/groups.ts';
import { type Outputs, targets, terms } from './loss.ts';
import type { PretrainState } from './state.ts';
import { type CompiledPart, inputShapes, maskSamples, type ResolvedOptions } from './stepInputs.ts';
import { studentPass, teacherPass, update } from './stepParts.ts';
import { featureOutputs, meansOf, teacherOutputs } from './wholeStep.ts';

type Values = Record<string, StepValue>;
type Arrays = Record<string, Float32Array>;

const statisticNames = ['teacherEntropy', 'teacherKl', 'teacherEntropies', 'teacherKls'];

/**
 * One step in micro-batches, for batches that do not fit into memory. The result equals that of the full batch. The centre, and
 * so every target, depends on the teacher's outputs for the whole batch. Therefore the teacher sees all micro-batches before the
 * student sees the first; variables sum the gradients.
 */
export function compileAccumulated(
  engine: Engine,
  state: PretrainState,
  options: ResolvedOptions,
): Pick<CompiledPart, 'run' | 'dispose'> {
  const { phase, executor, batch, accumulate } = options;
  const micro = batch / accumulate;
  const { out } = state.config.head;
  const outputNames = [...new Set(terms[phase].map((term) => term.teacher))];
  const targetName = (term: number) => `targets${term}`;
  const sums = trainedBy(phase, state.student.specs).map((spec) => engine.variable(`sum.${spec.name}`, ourShape(spec)));

  const teacher = engine.compile({
    name: `pretrain ${phase}, teacher`,
    executor,
    inputs: inputShapes(options, micro, ['views']),
    body: ({ views }) => teacherPass(state, views!, options) as Record<string, Tensor>,
  });
  const target = engine.compile({
    name: `pretrain ${phase}, targets`,
    executor,
    inputs: {
      ...inputShapes(options, batch, ['targets']),
      ...Object.fromEntries(outputNames.map((name) => [name, { shape: [2 * batch, out] }])),
    },
    body: ({ teacherTemperature, ...outputs }: Record<string, Tensor>): Record<string, Tensor> => {
      const teacher = { outputs: outputs as Outputs, means: meansOf(outputs as Outputs) };
      const center = state.center.read();
      const moved = targets(phase, teacher, center, teacherTemperature!, options.centerMomentum);
      state.center.assign(moved.center);
      const probabilities = moved.distributions.map(({ probability }, i) => [targetName(i), probability] as const);
      return { ...Object.fromEntries(probabilities), ...teacherOutputs(moved.distributions) };
    },
  });
  const student = engine.compile({
    name: `pretrain ${phase}, student`,
    executor,
    inputs: {
      ...inputShapes(options, micro, ['views', 'masks']),
      ...Object.fromEntries(terms[phase].map((_, i) => [targetName(i), { shape: [2 * micro, out] }])),
    },
    body: (inputs: Record<string, Tensor>) => {
      const probabilities = terms[phase].map((_, i) => inputs[targetName(i)]!);
      const result = studentPass(state, inputs.views!, probabilities, options, inputs.dropPathMasks);
      result.gradients.forEach((gradient, i) => {
        addTo(sums[i]!, gradient);
      });
      const values = terms[phase].map(({ name }, i) => [name, result.terms[i]!] as const);
      return { loss: result.loss, ...Object.fromEntries(values), ...featureOutputs(result.features) };
    },
  });
  const apply = engine.compile({
    name: `pretrain ${phase}, update`,
    executor,
    inputs: inputShapes(options, batch, ['update'], state.optimizer.inputs),
    body: (inputs: Record<string, Tensor>) => {
      const gradients = sums.map((sum) => mul(sum.read(), 1 / accumulate));
      const norms = update(state, phase, gradients, inputs, options.clipGradient);
      sums.forEach((sum, i) => {
        sum.assign(zerosLike(gradients[i]!));
      });
      return norms;
    },
  });

  /** One call after the other: its parts must not mix with those of the next. */
  const calls = new Line();
  return {
    run: (values: Values) => calls.run(() => parted(values)),
    dispose() {
      for (const part of [teacher, target, student, apply]) part.dispose();
      for (const sum of sums) sum.dispose();
    },
  };

  async function parted(values: Values): Promise<Arrays> {
    const { views, teacherTemperature, dropPathMasks, ...updateValues } = values as Values & { views: Float32Array };
    const parts = Array.from({ length: accumulate }, (_, i) => ({ begin: i * micro, count: micro }));
    const ofPart = (rows: Float32Array, part: Part) => takeImages(rows, batch, part);
    const seen: Arrays[] = [];
    for (const part of parts) seen.push(await teacher.run({ views: ofPart(views, part) }));
    const outputs = outputNames.map((name) => [name, joinImages(seen.map((arrays) => arrays[name]!))] as const);
    const found = await target.run({ teacherTemperature: teacherTemperature!, ...Object.fromEntries(outputs) });
    const results: Arrays[] = [];
    for (const part of parts) {
      const masks = dropPathMasks && { dropPathMasks: takeMasks(dropPathMasks as Float32Array, options, part) };
      const wanted = terms[phase].map((_, i) => [targetName(i), ofPart(found[targetName(i)]!, part)] as const);
      results.push(await student.run({ views: ofPart(views, part), ...masks, ...Object.fromEntries(wanted) }));
    }
    const joined = (name: string) => ({ [name]: joinImages(results.map((arrays) => arrays[name]!)) });
    const statistics = Object.fromEntries(statisticNames.map((name) => [name, found[name]!]));
    const losses = ['loss', ...terms[phase].map(({ name }) => name)];
    return {
      ...(await apply.run(updateValues)),
      ...Object.fromEntries(losses.map((name) => [name, meanScalar(results.map((arrays) => arrays[name]!))])),
      ...joined('features'),
      ...(phase === '3D' && joined('sliceFeatures')),
      ...statistics,
    };
  }
}

/** Images of a batch. */
interface Part {
  readonly begin: number;
  readonly count: number;
}

/** Rows [2B, …] (first views, second views) of some images: [2 count, …]. */
function takeImages(rows: Float32Array, batch: number, { begin, count }: Part): Float32Array {
  const length = rows.length / (2 * batch);
  const result = new Float32Array(2 * count * length);
  for (const view of [0, 1]) {
    const first = (view * batch + begin) * length;
    result.set(rows.subarray(first, first + count * length), view * count * length);
  }
  return result;
}

/** The reverse of `takeImages` for all parts, equally large, in order. */
function joinImages(parts: readonly Float32Array[]): Float32Array {
  const half = parts[0]!.length / 2;
  const result = new Float32Array(parts.length * 2 * half);
  parts.forEach((part, i) => {
    result.set(part.subarray(0, half), i * half);
    result.set(part.subarray(half), (parts.length + i) * half);
  });
  return result;
}

/** Columns of the masks [branches, samples] for some images: their views, and in 3D the views' slices. */
function takeMasks(masks: Float32Array, options: ResolvedOptions, part: Part): Float32Array {
  const { batch, phase } = options;
  const samples = maskSamples(options, batch);
  const rows = options.branches.map((_, row) => {
    const all = masks.subarray(row * samples, (row + 1) * samples);
    const views = takeImages(all.subarray(0, 2 * batch), batch, part);
    const slices = phase === '3D' ? takeImages(all.subarray(2 * batch), batch, part) : [];
    return [...views, ...slices];
  });
  return Float32Array.from(rows.flat());
}

function meanScalar(values: readonly Float32Array[]): Float32Array {
  return Float32Array.of(values.reduce((sum, [value]) => sum + value!, 0) / values.length);
}
