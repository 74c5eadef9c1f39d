import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CheckpointStore } from '../../daemon/checkpoint/store.ts';
import type { TensorFile } from '../../daemon/checkpoint/tensorFile.ts';
import { makePatch } from '../../daemon/data/augment/pairs/applyRecipe.ts';
import { drawPairRecipe } from '../../daemon/data/augment/pairs/recipe.ts';
import { openDataset } from '../../daemon/data/datasets/unlabelled.ts';
import { conditions } from '../../daemon/data/phantoms/anatomy.ts';
import { writePhantoms } from '../../daemon/data/phantoms/write.ts';
import { prepareImage } from '../../daemon/data/prepared/prepareImage.ts';
import { readCase } from '../../daemon/data/prepared/readCase.ts';
import type { PreparedImage, Size3 } from '../../daemon/data/prepared/types.ts';
import { Random } from '../../daemon/data/random.ts';
import { twoLevelDifference, twoLevelMean } from '../../daemon/evaluate/metrics/twoLevelBootstrap.ts';
import { type BackboneConfig, presets } from '../../daemon/model/config.ts';
import { downstreamTable } from '../../daemon/model/downstream.ts';
import { RunFolder } from '../../daemon/runs/folder/runFolder.ts';
import { createForward } from '../../daemon/train/finetune/forward.ts';
import { createFineTuneState } from '../../daemon/train/finetune/state.ts';
import { createFineTuneStep } from '../../daemon/train/finetune/step.ts';
import { seededValues } from '../../daemon/train/parameters/firstValues.ts';
import { takeWeights } from '../../daemon/train/parameters/takeWeights.ts';
import { augment as augmentSchema } from '../../protocol/config/finetune/augment.ts';
import type { Channel } from '../../protocol/config/finetune/index.ts';
import { presetOf } from '../../protocol/config/finetune/presets.ts';
import { requirePretrain } from '../../protocol/config/pretrain/index.ts';
import type { Modality } from '../../protocol/modality.ts';
import { testEngine } from '../engine.ts';

/**
 * Fine-tunes networks for classification of phantoms by recipes, in one process: arms (scratch, teacher, student, parts of them),
 * label counts and seeds, all by the product's own step, augmentation and preparation, without its validation. Prints each arm's
 * accuracy on the same test phantoms with 95 % intervals over seeds and images, paired differences from scratch, and CPU seconds.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    modality: { type: 'string', default: '2D' },
    // scratch | teacher | student, with @pattern for only the parameters whose names match.
    arms: { type: 'string', default: 'scratch,teacher' },
    // name:key=value,…;…: lr, wd, steps, warmup (share of the steps), decay (layers), head (share of the steps), batch.
    recipes: { type: 'string', default: 'usual:lr=5e-4' },
    labels: { type: 'string', default: '4,16' },
    seeds: { type: 'string', default: '1,2,3' },
    test: { type: 'string', default: '256' },
    'phantom-seed': { type: 'string', default: '2000' },
    // A folder with these phantoms, kept.
    phantoms: { type: 'string' },
    // product: as fine-tuning normalises; pretrain: as pre-training does.
    values: { type: 'string', default: 'product' },
    // JSON, as `train.augment` in a configuration: probabilities that differ from the defaults.
    augment: { type: 'string', default: '{}' },
    'no-augment': { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const modality = values.modality as Modality;
const numbers = (text: string) => text.split(',').map(Number);
const [labelCounts, seeds, tested] = [numbers(values.labels), numbers(values.seeds), Number(values.test)];
/** Labelled patients to draw from: of each class twice as many as the largest number of labels. */
const pool = conditions.length * 2 * Math.max(...labelCounts);
const path = positionals[0];
const run = path === undefined ? undefined : await RunFolder.open(path);
const pretrained = run && requirePretrain(run.config);
const preset = presets[pretrained?.model.preset ?? 'nano'];
const backbone: BackboneConfig = preset;
const patch: Size3 = modality === '2D' ? [1, ...preset.size2D] : preset.size3D;
const channels: Channel[] =
  values.values === 'pretrain' && modality === '3D'
    ? [{ name: 'CT', normalization: { scheme: 'divide', by: 1024 } }]
    : presetOf({ problem: 'classification', modality }).channels.map((channel) => ({ ...channel }));
const augment = augmentSchema.parse(JSON.parse(values.augment));

interface Recipe {
  readonly name: string;
  readonly lr: number;
  readonly wd: number;
  readonly steps: number;
  readonly warmup: number;
  readonly decay: number;
  readonly head: number;
  readonly batch: number;
}
const recipes: Recipe[] = values.recipes.split(';').map((text) => {
  const [name = '', rest = ''] = text.split(':');
  const given = Object.fromEntries(
    rest.split(',').flatMap((pair) => {
      const [key, value] = pair.split('=');
      return key ? [[key, Number(value)]] : [];
    }),
  );
  return { lr: 5e-4, wd: 5e-3, steps: 150, warmup: 0, decay: 1, head: 0, batch: 8, ...given, name };
});

async function readPhantoms(): Promise<{ images: PreparedImage[]; labels: number[] }> {
  const count = pool + tested;
  const folder = values.phantoms ?? mkdtempSync(join(tmpdir(), 'unimiss-study-'));
  const [seed, volumes, images] = [
    Number(values['phantom-seed']),
    modality === '3D' ? count : 0,
    modality === '2D' ? count : 0,
  ];
  const own = join(folder, `${seed}-${modality}-${count}`);
  const known = join(own, 'manifest.csv'); // written last
  const manifest = existsSync(known)
    ? known
    : (await writePhantoms(own, { seed, volumes, images, size: { slices: 16, plane: 96, image: 96 } })).manifest;
  const samples = (await openDataset({ manifest })).samples(modality);
  const prepared: PreparedImage[] = [];
  for (const { path } of samples) {
    const settings = { modality, spacing: null, size: patch, channels };
    prepared.push(prepareImage(await readCase({ id: path, images: [path] }, settings), settings, path));
  }
  const names: readonly (string | undefined)[] = conditions;
  if (values.phantoms === undefined) rmSync(folder, { recursive: true });
  return { images: prepared, labels: samples.map(({ label }) => names.indexOf(label)) };
}

const engine = await testEngine();
const { images, labels } = await readPhantoms();
const model = {
  task: 'classification' as const,
  modality,
  backbone,
  channels: channels.length,
  outputs: conditions.length,
};
const table = downstreamTable(model);

async function startOf(arm: string, seed: number) {
  const fresh = seededValues(seed);
  if (arm === 'scratch') return fresh;
  if (!run) throw new Error(`the arm ${arm} needs a run`);
  const [network, pattern] = arm.split('@');
  const saved = await new CheckpointStore(run.checkpointsFolder).latestGood(() => undefined);
  if (!saved) throw new Error(`${run.id} has no checkpoint`);
  const file: TensorFile = saved.tensors;
  const { size2D, size3D } = requirePretrain(run.config).model;
  const options = { network: network as 'teacher' | 'student', fresh, size2D, size3D };
  const { first } = await takeWeights(file, table, options);
  await file.close();
  const takes = pattern === undefined ? () => true : (name: string) => new RegExp(pattern).test(name);
  return (spec: Parameters<typeof first>[0]) => (takes(spec.name) ? first(spec) : fresh(spec));
}

/** [n, …size, channels] of prepared images. */
function join4(list: readonly PreparedImage[]): Float32Array {
  const voxels = patch[0] * patch[1] * patch[2];
  const out = new Float32Array(list.length * voxels * channels.length);
  for (const [b, { image }] of list.entries())
    for (let c = 0; c < channels.length; c++)
      for (let v = 0; v < voxels; v++) out[(b * voxels + v) * channels.length + c] = image[c * voxels + v]!;
  return out;
}

const states = new Map<number, ReturnType<typeof createFineTuneState>>();
const steps = new Map<string, ReturnType<typeof createFineTuneStep>>();
const evaluators = new Map<number, ReturnType<typeof createForward>>();
const problem = { task: 'classification' as const, labels: 'exclusive' as const, labelSmoothing: 0 };

/** One fine-tuning from its start to its test. @returns whether each test image was classified correctly */
async function fineTune(arm: string, recipe: Recipe, perClass: number, seed: number) {
  let state = states.get(recipe.decay);
  if (!state) {
    state = createFineTuneState(engine, { model, optimizer: { kind: 'adamW' }, layerDecay: recipe.decay }, seed);
    states.set(recipe.decay, state);
  }
  const first = await startOf(arm, seed);
  const values0 = new Map(table.map((spec) => [`network.${spec.name}`, spec]));
  const shapes = new Map(state.tensors().map(({ name, shape }) => [name, shape.reduce((a, b) => a * b, 1)]));
  const counts = Object.fromEntries(Object.keys(state.optimizer.counts).map((group) => [group, 0]));
  await state.load(
    (name) => {
      const spec = values0.get(name);
      return spec ? first(spec) : new Float32Array(shapes.get(name) ?? 0);
    },
    { counts },
  );
  const stepOf = (frozen: 'none' | 'backbone') => {
    const key = `${recipe.decay} ${frozen} ${recipe.batch}`;
    const known = steps.get(key);
    if (known) return known;
    const made = createFineTuneStep(engine, state, { problem, batch: recipe.batch, frozen, clipGradient: 12 });
    steps.set(key, made);
    return made;
  };
  const random = new Random(seed, 'labels', perClass);
  const chosen = conditions.flatMap((_, c) =>
    random.shuffle([...labels.keys()].filter((i) => i < pool && labels[i] === c)).slice(0, perClass),
  );
  let order: number[] = [];
  const losses: number[] = [];
  for (let n = 0; n < recipe.steps; n++) {
    const batch: number[] = [];
    const seen = new Map<number, number>();
    while (batch.length < recipe.batch) {
      if (order.length === 0) order = new Random(seed, 'order', perClass, n, batch.length).shuffle([...chosen]);
      const next = order.pop()!;
      seen.set(next, (seen.get(next) ?? 0) + 1);
      batch.push(next);
    }
    const made = batch.map((i, slot) => {
      const key = [seed, n, i, slot];
      if (values['no-augment']) return images[i]!;
      const drawn = drawPairRecipe(augment, { patch, channels: channels.length }, key);
      return makePatch(images[i]!, { start: [0, 0, 0], patch, recipe: drawn }, key);
    });
    const passed = n / recipe.steps;
    const warm = recipe.warmup > 0 ? Math.min(1, (n + 1) / (recipe.warmup * recipe.steps)) : 1;
    const step = stepOf(passed < recipe.head && arm !== 'scratch' ? 'backbone' : 'none');
    const { loss } = await step.run({
      images: join4(made),
      labels: Int32Array.from(batch, (i) => labels[i]!),
      learningRate: recipe.lr * warm * (1 - passed) ** 0.9,
      weightDecay: recipe.wd,
    });
    losses.push(loss);
  }
  let forward = evaluators.get(recipe.decay);
  if (!forward) {
    forward = createForward(engine, state, { batch: 32 });
    evaluators.set(recipe.decay, forward);
  }
  const right: number[] = [];
  for (let from = pool; from < images.length; from += 32) {
    const some = images.slice(from, from + 32);
    const logits = await forward.run(join4(some));
    for (let i = 0; i < some.length; i++) {
      const own = Array.from(logits.subarray(i * conditions.length, (i + 1) * conditions.length));
      right.push(own.indexOf(Math.max(...own)) === labels[from + i] ? 1 : 0);
    }
  }
  const tail = losses.slice(-20);
  return { right, loss: tail.reduce((a, b) => a + b, 0) / tail.length };
}

const arms = values.arms.split(',');
const interval = ({ low, high }: { low: number; high: number }) => `[${low.toFixed(3)}, ${high.toFixed(3)}]`;
if (!values.json) {
  const all = join4(images.slice(pool, pool + 64));
  const mean = all.reduce((a, b) => a + b / all.length, 0);
  const deviation = Math.sqrt(all.reduce((a, b) => a + (b - mean) ** 2 / all.length, 0));
  console.log(
    `${run?.id ?? 'no run'}; ${modality}, ${values.values} values: mean ${mean.toFixed(3)}, deviation ${deviation.toFixed(3)}; ${tested} test phantoms, seed ${values['phantom-seed']}, seeds ${values.seeds}; ${cpus()[0]?.model}`,
  );
  console.log(
    '| recipe | labels | arm | accuracy | minus scratch | training loss | CPU s |\n|---|---|---|---|---|---|---|',
  );
}
for (const recipe of recipes)
  for (const perClass of labelCounts) {
    const scores = new Map<string, number[][]>();
    for (const arm of arms) {
      const before = process.cpuUsage();
      const own: number[][] = [];
      let loss = 0;
      for (const seed of seeds) {
        const result = await fineTune(arm, recipe, perClass, seed);
        own.push(result.right);
        loss += result.loss / seeds.length;
      }
      scores.set(arm, own);
      const used = process.cpuUsage(before);
      const cpu = (used.user + used.system) / 1e6;
      const options = { resamples: 2000, seed: 0 };
      const { mean, low, high } = twoLevelMean(own, options);
      const scratch = arm === 'scratch' ? undefined : scores.get('scratch');
      const against = scratch && twoLevelDifference(own, scratch, options);
      const perSeed = own.map((row) => row.reduce((a, b) => a + b, 0) / row.length);
      if (values.json)
        console.log(
          JSON.stringify({
            run: run?.id,
            modality,
            recipe,
            perClass,
            arm,
            mean,
            low,
            high,
            perSeed,
            against,
            loss,
            cpu,
          }),
        );
      else
        console.log(
          `| ${recipe.name} | ${perClass} | ${arm} | ${mean.toFixed(3)} ${interval({ low, high })} | ${against ? `${against.difference.toFixed(3)} ${interval(against)}` : ''} | ${loss.toFixed(3)} | ${cpu.toFixed(0)} |`,
        );
    }
  }
process.exit(0);
