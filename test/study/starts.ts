import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { CheckpointStore } from '../../daemon/checkpoint/store.ts';
import { views2DOptions, views3DOptions } from '../../daemon/data/augment/options.ts';
import { makeViews2D } from '../../daemon/data/augment/views2D.ts';
import { makeViews3D } from '../../daemon/data/augment/views3D.ts';
import { openDataset } from '../../daemon/data/datasets/unlabelled.ts';
import { readImage } from '../../daemon/data/formats/image.ts';
import { plainView2D, plainViews3D } from '../../daemon/data/plainViews.ts';
import { prepareImage } from '../../daemon/data/prepared/prepareImage.ts';
import { readCase } from '../../daemon/data/prepared/readCase.ts';
import type { Size3 } from '../../daemon/data/prepared/types.ts';
import { VolumeReader } from '../../daemon/data/volumes.ts';
import { parameterTable } from '../../daemon/model/parameters.ts';
import { RunFolder } from '../../daemon/runs/folder/runFolder.ts';
import { modelConfig } from '../../daemon/runs/start/modelConfig.ts';
import { seededValues } from '../../daemon/train/parameters/firstValues.ts';
import { presetOf } from '../../protocol/config/finetune/presets.ts';
import { requirePretrain } from '../../protocol/config/pretrain/index.ts';
import { modalities } from '../../protocol/modality.ts';

/**
 * What a fine-tuning from a pre-training begins with. First the inputs of both, from the same images: mean, deviation and millimetres (or
 * pixels) of the image that a voxel and a whole input show. Then how far pre-training moved the parameters, by the parts of the
 * network that are taken over: a part that it does not reach has moved by 0.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { images: { type: 'string', default: '16' } },
});
const run = await RunFolder.open(positionals[0] ?? '');
const { data, model, train, views } = requirePretrain(run.config);
const dataset = await openDataset({
  ...(data.paths && { paths: data.paths }),
  ...(data.manifest !== undefined && { manifest: data.manifest }),
});
const volumes = new VolumeReader({ spacing: [3, 1, 1], cache: false });

interface Seen {
  count: number;
  sum: number;
  squares: number;
  /** Share of the image's area (2D) or of the slice (3D) that is shown, summed. */
  shown: number;
  images: number;
}
const seen = new Map<string, Seen>();
function look(what: string, input: Float32Array, shown: number): void {
  const own = seen.get(what) ?? { count: 0, sum: 0, squares: 0, shown: 0, images: 0 };
  for (const value of input) {
    own.sum += value;
    own.squares += value ** 2;
  }
  own.count += input.length;
  own.shown += shown;
  own.images++;
  seen.set(what, own);
}

/** Side of a crop in sizes of a view, in the middle of its range. */
const middle = ([low, high]: readonly number[]) => ((low ?? 0) + (high ?? 0)) / 2;
for (const modality of modalities) {
  const patch: Size3 = modality === '2D' ? [1, model.size2D[0], model.size2D[1]] : model.size3D;
  const { channels } = presetOf({ problem: 'classification', modality });
  const settings = { modality, spacing: null, size: patch, channels };
  for (const [n, { path }] of dataset.samples(modality).slice(0, Number(values.images)).entries()) {
    const key = [train.seed, 0, n];
    if (modality === '2D') {
      const image = await readImage(path);
      const [view] = makeViews2D(image, { ...views2DOptions(model.size2D), area: views.area2D }, key);
      look('2D pre-training', view, middle(views.area2D));
      look('2D features', plainView2D(image, model.size2D), 1);
    } else {
      const volume = await volumes.read(path, () => undefined);
      const options = {
        ...views3DOptions(model.size3D, views.volumeDraws, views.pad3D),
        ...{ crop: views.crop3D, parentCrop: views.parent3D },
      };
      const share = Math.min(1, (middle(views.crop3D) * model.size3D[1]) / volume.shape[1]) ** 2;
      look('3D pre-training', makeViews3D(volume, options, key)[0], share);
      for (const view of plainViews3D(volume, model.size3D)) look('3D features', view, 1);
    }
    const prepared = prepareImage(await readCase({ id: path, images: [path] }, settings), settings, path);
    look(`${modality} fine-tuning`, prepared.image, 1);
  }
}
console.log(`${run.id}; ${values.images} images of each modality; ${cpus()[0]?.model}`);
console.log('| input | mean | deviation | share of the area shown |\n|---|---|---|---|');
for (const [what, { count, sum, squares, shown, images }] of seen) {
  const mean = sum / count;
  console.log(
    `| ${what} | ${mean.toFixed(3)} | ${Math.sqrt(squares / count - mean ** 2).toFixed(3)} | ${(shown / images).toFixed(2)} |`,
  );
}

const saved = await new CheckpointStore(run.checkpointsFolder).latestGood(() => undefined);
if (!saved) throw new Error(`${run.id} has no checkpoint`);
const first = seededValues(train.seed);
const parts = new Map<string, { moved: number; length: number; still: number; tensors: number }>();
for (const spec of parameterTable(modelConfig(model))) {
  if (!spec.learns) continue;
  const now = await saved.tensors.readFloat32(`student.${spec.name}`);
  const before = first(spec);
  const part = spec.name
    .replace(/^backbone\.(transformer\.)?/, '')
    .replace(/^(block|Decblock)(\d+)\..*/, '$1$2')
    .replace(/^(pos_embed|patch_embed|DecPosEmbed|DecEmbed|cls_tokens|head)([23]D)?\d?.*/, '$1$2');
  const own = parts.get(part) ?? { moved: 0, length: 0, still: 0, tensors: 0 };
  const moved = now.reduce((sum, value, i) => sum + (value - before[i]!) ** 2, 0);
  own.moved += moved;
  own.length += before.reduce((sum, value) => sum + value ** 2, 0);
  own.still += moved === 0 ? 1 : 0;
  own.tensors++;
  parts.set(part, own);
}
await saved.tensors.close();
console.log('\n| part | tensors | not moved | movement over first length |\n|---|---|---|---|');
for (const [part, { moved, length, still, tensors }] of parts)
  console.log(`| ${part} | ${tensors} | ${still} | ${length > 0 ? Math.sqrt(moved / length).toFixed(4) : '–'} |`);
process.exit(0);
