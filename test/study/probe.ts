import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CheckpointStore } from '../../daemon/checkpoint/store.ts';
import { openDataset } from '../../daemon/data/datasets/unlabelled.ts';
import { readImage } from '../../daemon/data/formats/image.ts';
import { conditions } from '../../daemon/data/phantoms/anatomy.ts';
import { writePhantoms } from '../../daemon/data/phantoms/write.ts';
import { plainView2D, plainViews3D } from '../../daemon/data/plainViews.ts';
import { VolumeReader } from '../../daemon/data/volumes.ts';
import { histogram, moments } from '../../daemon/evaluate/features/intensities.ts';
import { linearProbe } from '../../daemon/evaluate/features/linearProbe.ts';
import { createBackbone, type Network } from '../../daemon/infer/network.ts';
import { createStageFeatures } from '../../daemon/infer/stageFeatures.ts';
import { presets } from '../../daemon/model/config.ts';
import { RunFolder } from '../../daemon/runs/folder/runFolder.ts';
import { modelConfig } from '../../daemon/runs/start/modelConfig.ts';
import { seededValues } from '../../daemon/train/parameters/firstValues.ts';
import { requirePretrain } from '../../protocol/config/pretrain/index.ts';
import type { PresetName } from '../../protocol/config/pretrain/presets.ts';
import { type Modality, modalities } from '../../protocol/modality.ts';
import { testEngine } from '../engine.ts';

/**
 * What each stage of a network knows of the conditions of fresh phantoms: a linear probe with few labels on the mean of each stage's
 * patches, the class tokens, all together, and on intensities alone. Prints a table with 95 % intervals over images.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    preset: { type: 'string', default: 'nano' },
    seed: { type: 'string', default: '0' },
    network: { type: 'string', default: 'teacher' },
    count: { type: 'string', default: '256' },
    'phantom-seed': { type: 'string', default: '1000' },
    labels: { type: 'string', default: '4,16' },
    modality: { type: 'string' },
    slices: { type: 'string', default: '16' },
    plane: { type: 'string', default: '96' },
    pixels: { type: 'string', default: '96' },
    // A folder for these phantoms, kept.
    phantoms: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const [count, seed] = [Number(values.count), Number(values.seed)];
const folder = mkdtempSync(join(tmpdir(), 'unimiss-probe-'));
const engine = await testEngine();
const batch = 8;

/** The network of a run (`random`: as it began), or a random one of a preset. */
async function networkOf(path: string | undefined): Promise<{ network: Network; name: string }> {
  if (path === undefined) {
    const config = presets[values.preset as PresetName];
    return {
      network: createBackbone(engine, config, 'teacher', seededValues(seed)),
      name: `${values.preset}, random, seed ${seed}`,
    };
  }
  const run = await RunFolder.open(path);
  const config = modelConfig(requirePretrain(run.config).model);
  const role = values.network as 'teacher' | 'student' | 'random';
  if (role === 'random') {
    const first = seededValues(requirePretrain(run.config).train.seed);
    return { network: createBackbone(engine, config, 'teacher', first), name: `${run.id}, random` };
  }
  const saved = await new CheckpointStore(run.checkpointsFolder).latestGood(() => undefined);
  if (!saved) throw new Error(`${run.id} has no checkpoint`);
  const network = createBackbone(engine, config, role);
  const { tensors } = saved;
  await network.parameters.load((name) => (tensors.tensors.has(name) ? tensors.readFloat32(name) : undefined));
  await tensors.close();
  return { network, name: `${run.id}, ${role}` };
}

const { network, name } = await networkOf(positionals[0]);
const asked: readonly Modality[] = values.modality ? [values.modality as Modality] : modalities;
const own = values.phantoms ?? folder;
const known = join(own, 'manifest.csv'); // written last
const { manifest } = existsSync(known)
  ? { manifest: known }
  : await writePhantoms(own, {
      seed: Number(values['phantom-seed']),
      volumes: asked.includes('3D') ? count : 0,
      images: asked.includes('2D') ? count : 0,
      size: { slices: Number(values.slices), plane: Number(values.plane), image: Number(values.pixels) },
    });
const dataset = await openDataset({ manifest });
const volumes = new VolumeReader({ spacing: [3, 1, 1], cache: false });
const rows: string[] = [];
const results: unknown[] = [];
for (const modality of asked) {
  const samples = dataset.samples(modality);
  const names: readonly (string | undefined)[] = conditions;
  const labels = samples.map(({ label }) => names.indexOf(label));
  const { config } = network;
  const features = createStageFeatures(engine, network, { modality, batch });
  const found: Record<string, Float32Array[]> = {};
  const put = (name: string, row: Float32Array) => {
    found[name] = [...(found[name] ?? []), row];
  };
  const waiting: { sample: number; share: number; view: Float32Array }[] = [];
  const flush = async (least: number) => {
    while (waiting.length >= least && waiting.length > 0) {
      const some = waiting.splice(0, batch);
      const length = some[0]!.view.length;
      const images = new Float32Array(batch * length);
      for (const [i, { view }] of some.entries()) images.set(view, i * length);
      for (const [part, all] of Object.entries(await features.run(images))) {
        const each = all.length / batch;
        for (const [i, { sample, share }] of some.entries()) {
          const rows = found[part] ?? [];
          const row = rows[sample] ?? new Float32Array(each);
          for (let d = 0; d < each; d++) row[d]! += share * all[i * each + d]!;
          rows[sample] = row;
          found[part] = rows;
        }
      }
    }
  };
  for (const [sample, { path }] of samples.entries()) {
    const image = modality === '2D' ? await readImage(path) : await volumes.read(path, () => undefined);
    const values = image.kind === '2D' ? image.data.filter((_, i) => i % 3 === 0) : image.data;
    put('histogram', histogram(values, modality === '2D' ? [0, 256] : [-1024, 600]));
    put('moments', moments(values));
    const views = image.kind === '2D' ? [plainView2D(image, config.size2D)] : plainViews3D(image, config.size3D);
    // As in `embed`: the mean over all views of a volume.
    for (const view of views) waiting.push({ sample, share: 1 / views.length, view });
    await flush(batch);
  }
  await flush(1);
  features.dispose();
  // `encoder` repeats two others.
  const networkParts = Object.keys(found).filter((part) => !['histogram', 'moments', 'encoder'].includes(part));
  found.all = samples.map((_, i) => Float32Array.from(networkParts.flatMap((part) => Array.from(found[part]![i]!))));
  for (const [part, list] of Object.entries(found)) {
    const featureLength = list[0]!.length;
    const joined = new Float32Array(list.length * featureLength);
    list.forEach((row, i) => {
      joined.set(row, i * featureLength);
    });
    const measured = values.labels
      .split(',')
      .map(Number)
      .map((perClass) => {
        const { accuracy, interval } = linearProbe({ features: joined, featureLength, labels }, { perClass });
        results.push({
          network: name,
          modality,
          part,
          featureLength,
          perClass,
          accuracy,
          low: interval?.low,
          high: interval?.high,
        });
        return `${accuracy.toFixed(3)} [${interval?.low.toFixed(3)}, ${interval?.high.toFixed(3)}]`;
      });
    rows.push(`| ${modality} | ${part} | ${featureLength} | ${measured.join(' | ')} |`);
  }
}
network.parameters.dispose();
rmSync(folder, { recursive: true });
if (values.json) for (const result of results) console.log(JSON.stringify(result));
else {
  console.log(`${name}; ${count} phantoms of each modality, seed ${values['phantom-seed']}; ${cpus()[0]?.model}`);
  const heads = values.labels.split(',').map((n) => `${n} a class`);
  console.log(`| | features | numbers | ${heads.join(' | ')} |\n|---|---|---|${heads.map(() => '---|').join('')}`);
  console.log(rows.join('\n'));
}
process.exit(0);
