import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { requireFinetune } from '../../../../protocol/config/finetune/index.ts';
import { resolveConfig } from '../../../../protocol/config/index.ts';
import { parseConfig } from '../../../../protocol/config/parseConfig.ts';
import { requirePretrain } from '../../../../protocol/config/pretrain/index.ts';
import { CheckpointStore } from '../../../checkpoint/store.ts';
import { type MitConfig, presets } from '../../../model/config.ts';
import { type DownstreamConfig, downstreamTable } from '../../../model/downstream.ts';
import { parameterTable } from '../../../model/parameters.ts';
import { RunFolder } from '../../folder/runFolder.ts';
import { modelConfig } from '../modelConfig.ts';
import { checkStartingWeights, readStartingWeights } from './startingWeights.ts';
import { startValues } from './startValues.ts';

const folder = mkdtempSync(join(tmpdir(), 'unimiss-starting-'));
afterAll(() => rmSync(folder, { recursive: true }));

const start = {
  from: null,
  network: 'student',
  minimumShare: 0.5,
  positions: 'perAxis',
  stem: 'divided',
} as const;
const read = { seed: 1, onNotice: () => undefined };
const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** A pre-training run of the smallest preset for volumes of 32×64×64, whose last checkpoint has students of 2 and teachers of 3. */
async function pretrained(): Promise<RunFolder> {
  const text = JSON.stringify({
    name: 'first',
    data: { paths: [folder] },
    model: { preset: 'nano', size2D: [64, 64], size3D: [32, 64, 64], head: { hidden: 16, bottleneck: 8, outDim: 16 } },
  });
  const config = resolveConfig(parseConfig(text, 'test'), { baseDir: folder });
  const run = await RunFolder.create(join(folder, 'runs'), text, config);
  return run;
}

const segmentation: DownstreamConfig = {
  task: 'segmentation',
  modality: '3D',
  backbone: { ...presets.nano, size3D: [64, 64, 64] },
  channels: 1,
  outputs: 2,
};

test("a run: its last checkpoint, whose size of volumes is the run's", async () => {
  const run = await pretrained();
  const specs = downstreamTable(segmentation);
  await expect(readStartingWeights({ ...start, from: run.folder }, specs, read)).rejects.toThrow(
    /has no checkpoint yet\n.*first epoch/,
  );
  const model = modelConfig(requirePretrain(run.config).model);
  const tensors = Object.entries({ student: 2, teacher: 3 }).flatMap(([role, value]) =>
    parameterTable(model).map(({ name, shape }) => ({
      name: `${role}.${name}`,
      shape: [...shape],
      dtype: 'F32' as const,
      read: () => new Float32Array(size(shape)).fill(value),
    })),
  );
  await new CheckpointStore(run.checkpointsFolder).save(5, tensors, {});
  const { first, report, finding } = await readStartingWeights(
    { ...start, from: run.folder, network: 'teacher' },
    specs,
    read,
  );
  expect(report).toMatchObject({ prefix: 'teacher.', encoderShare: 1 });
  // 32 slices are four cells in the last stage, 64 slices eight.
  expect(report.resized.map(({ from, to }) => `${from} ${to}`)).toContain('4,4,4 8,4,4');
  expect(finding.message).toMatch(/^Weights from .*step-000000005\.safetensors: \d+ parameters loaded/);
  const kernel = specs.find(({ name }) => name === 'transformer.patch_embed0.conv.weight');
  expect(kernel && first(kernel)[0]).toBe(3);
  await checkStartingWeights({ ...start, from: run.folder }, specs);
});

test('a run from scratch and a resumed run read no weights; any other one says what it took', async () => {
  const text = JSON.stringify({
    ...{ task: 'finetune', problem: 'segmentation', modality: '3D', data: { path: folder } },
    ...{ model: { preset: 'nano' }, start: { from: join(folder, 'none.pth') } },
  });
  const config = requireFinetune(resolveConfig(parseConfig(text, 'test'), { baseDir: folder }));
  const scratch = { ...config, start: { ...config.start, from: null } };
  for (const values of [
    await startValues(config, { model: segmentation, resumes: true }),
    await startValues(scratch, { model: segmentation, resumes: false }),
  ])
    expect(values.findings).toEqual([]);
  await expect(startValues(config, { model: segmentation, resumes: false })).rejects.toThrow(
    /none\.pth: cannot be opened/,
  );
});

test('a file that lacks the encoder is refused before anything is trained', async () => {
  const from = 'test/fixtures/pth/checkpoint.pth';
  await expect(checkStartingWeights({ ...start, from }, downstreamTable(segmentation))).rejects.toThrow(
    /checkpoint\.pth: provides 0 % of the encoder's parameters, but 50 % are required/,
  );
});

const golden = join(process.env.UNIMISS_GOLDEN ?? 'test/golden/data', 'reference-checkpoint.pth');
/** The reduced model of the reference's checkpoint. */
const reduced: MitConfig = {
  stem: 32,
  encoder: { depths: [1, 1, 1, 1], dims: [12, 32, 64, 128], heads: [1, 2, 4, 8], reductions: [6, 4, 2, 1] },
  decoder: { depths: [1, 1, 1], dims: [64, 32, 12], heads: [8, 4, 2], reductions: [2, 4, 6] },
  head: { hidden: 128, bottleneck: 32, out: 64 },
  size2D: [64, 64],
  size3D: [16, 64, 64],
};
test.skipIf(!existsSync(golden))("the reference's .pth fits both kinds of networks, in 2D and 3D", async () => {
  for (const task of ['classification', 'segmentation'] as const)
    for (const modality of ['2D', '3D'] as const) {
      const specs = downstreamTable({
        task,
        modality,
        backbone: reduced,
        channels: modality === '2D' ? 3 : 1,
        outputs: 2,
      });
      const { report } = await readStartingWeights({ ...start, from: golden, minimumShare: 1 }, specs, read);
      expect(report).toMatchObject({ prefix: 'student.module.', resized: [] });
      expect(report.fresh).toEqual(specs.flatMap(({ name, pretrained }) => (pretrained === null ? [name] : [])));
    }
});
