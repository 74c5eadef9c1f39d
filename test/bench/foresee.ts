import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { sizeOf } from '../../daemon/engine/dataType.ts';
import { openEngine } from '../../daemon/engine/index.ts';
import { locateEngine } from '../../daemon/engine/install/index.ts';
import { foresee } from '../../daemon/engine/pjrt/aheadOfTime.fixtures.ts';
import { PjrtApi } from '../../daemon/engine/pjrt/api.ts';
import { optionsFor } from '../../daemon/engine/pjrt/deviceOptions.ts';
import { ModuleWriter, type StableHloModule } from '../../daemon/engine/pjrt/moduleWriter.ts';
import { presets } from '../../daemon/model/config.ts';
import { createPretrainState, createPretrainStep } from '../../daemon/train/pretrain/index.ts';
import { type EnginePrecision, enginePrecisions } from '../../protocol/config/devices.ts';
import type { Modality } from '../../protocol/modality.ts';

/**
 * Compiles a whole pre-training step for a GPU that is not there, and prints one JSON line: the bytes that it will need, and what
 * became of its convolutions, norms and updates. The step is traced on `pjrt:cpu`; UNIMISS_PJRT_CUDA names the plugin for GPUs.
 */
const { values } = parseArgs({
  options: {
    arch: { type: 'string', default: 'tiny' },
    phase: { type: 'string', default: '2D' },
    batch: { type: 'string', default: '2' },
    precision: { type: 'string', default: 'float32' },
    target: { type: 'string', default: 'daemon/engine/pjrt/h100.txtpb' },
  },
});
const plugin = process.env.UNIMISS_PJRT_CUDA;
if (!plugin) throw new Error('UNIMISS_PJRT_CUDA must name the plugin for GPUs: CONTRIBUTING.md says how to get it');
const precision: EnginePrecision | undefined = enginePrecisions.find((each) => each === values.precision);
if (!precision) throw new Error(`--precision: ${values.precision} is none of ${enginePrecisions.join(', ')}`);

const { library, device } = await locateEngine('pjrt:cpu');
const engine = await openEngine({ library, device, precision });
const written: StableHloModule[] = [];
const { finish } = ModuleWriter.prototype;
ModuleWriter.prototype.finish = function (...args) {
  const module = finish.apply(this, args);
  written.push(module);
  return module;
};
const state = createPretrainState(engine, presets[values.arch as keyof typeof presets], 0);
createPretrainStep(engine, state, {
  phase: values.phase as Modality,
  batch: Number(values.batch),
  executor: 'graph',
});
const [module] = written;
if (!module || written.length !== 1) throw new Error(`${written.length} modules instead of one`);
const { text } = module;
const updated = module.updated.flatMap((i) => module.arguments[i] ?? []);
const stateBytes = 4 * updated.reduce((sum, { shape }) => sum + sizeOf(shape), 0);

// Which of Triton's kernels multiplies fastest, only the card can tell; without one, cuBLAS multiplies.
const flags = { ...optionsFor('pjrt:cuda').flags(text), xla_gpu_enable_triton_gemm: false };
const began = performance.now();
const target = readFileSync(join(process.cwd(), values.target), 'utf8');
const { program, memory } = foresee(PjrtApi.load(plugin), target, text, flags);
const count = (target: string) => program.calls.filter((call) => call.startsWith(target)).length;
const { arguments: given, outputs, aliased, temporary } = memory;
console.log(
  JSON.stringify({
    ...values,
    lines: text.split('\n').length,
    seconds: Math.round((performance.now() - began) / 1000),
    stateBytes,
    ...memory,
    peak: given + outputs - aliased + temporary,
    cudnn: {
      forward: count('__cudnn$convForward'),
      input: count('__cudnn$convBackwardInput'),
      filter: count('__cudnn$convBackwardFilter'),
    },
    cublas: count('__cublas'),
  }),
);
process.exit(0);
