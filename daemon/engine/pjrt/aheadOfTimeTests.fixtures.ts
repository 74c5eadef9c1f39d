import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import type { EnginePrecision } from '../../../protocol/config/devices.ts';
import { lackOfPjrt, pjrtTestEngine } from '../../../test/engine.ts';
import { lack } from '../../../test/needs.ts';
import { adam } from '../index.ts';
import {
  add,
  convolution,
  convolutionInputGradient,
  convolutionKernelGradient,
  gelu,
  normalizeRows,
  reshape,
  scalar,
  sum,
} from '../ops/index.ts';
import { type Foreseen, foresee } from './aheadOfTime.fixtures.ts';
import { PjrtApi } from './api.ts';
import { optionsFor } from './deviceOptions.ts';
import { ModuleWriter } from './moduleWriter.ts';

/** The file of jax-cuda13-pjrt's plugin, beside the files of nvidia-cuda-nvcc and nvidia-nvvm. */
const plugin = process.env.UNIMISS_PJRT_CUDA;
const missing = lack('pjrt-cuda', plugin ? '' : 'UNIMISS_PJRT_CUDA is not set') || lackOfPjrt;

/** What a step becomes on a GPU, read from the program that XLA makes of it. A process has one engine, so each precision has a file. */
export function aheadOfTimeTests(precision: EnginePrecision): void {
  describe.skipIf(missing)(`a step in ${precision}, compiled for an H100 without one`, () => {
    const image = [2, 10, 34, 34, 32];
    const kernelShape = [3, 3, 3, 32, 64];
    const stateBytes = 3 * 4 * kernelShape.reduce((all, n) => all * n, 1);
    let step: Foreseen;

    beforeAll(async () => {
      const engine = await pjrtTestEngine({ precision, tensorFloat32: true });
      const [value, firstMoment, secondMoment] = ['p', 'm', 'v'].map((name) => engine.variable(name, kernelShape));
      if (!value || !firstMoment || !secondMoment) throw new Error('a variable is missing');
      const finish = vi.spyOn(ModuleWriter.prototype, 'finish');
      const compiled = engine.compile({
        name: 'convolution',
        executor: 'graph',
        inputs: { x: { shape: image }, weight: { shape: [64] }, bias: { shape: [64] } },
        body: ({ x, weight, bias }) => {
          const kernel = value.read();
          const y = convolution(x!, kernel, [2, 2, 2]);
          const rows = reshape(y, [-1, 64]);
          const dy = reshape(gelu(normalizeRows(rows, { weight: weight!, bias: bias! }, 1e-6)).value, y.shape);
          const dx = convolutionInputGradient(x!, kernel, dy, [2, 2, 2]);
          const scalars = { stepSize: scalar(0.1), epsilon: scalar(1e-8), beta1: scalar(0.9), beta2: scalar(0.999) };
          adam({ value, firstMoment, secondMoment }, convolutionKernelGradient(x!, kernel, dy, [2, 2, 2]), scalars);
          return { dx: sum(add(dx, x!), [1, 2, 3]) };
        },
      });
      const [written] = finish.mock.results;
      finish.mockRestore();
      if (written?.type !== 'return') throw new Error('no module was written');
      const target = readFileSync(join(import.meta.dirname, 'h100.txtpb'), 'utf8');
      const { text } = written.value;
      expect(text).toContain('precision DEFAULT');
      step = foresee(PjrtApi.load(plugin ?? ''), target, text, optionsFor('pjrt:cuda').flags(text));
      compiled.dispose();
    });

    test('its convolution and both gradients are calls of cuDNN', () => {
      const calls = ['__cudnn$convForward', '__cudnn$convBackwardInput', '__cudnn$convBackwardFilter'];
      expect([...step.program.calls].sort()).toEqual(calls.sort());
    });

    test('norm and GELU are one kernel, AdamW is another, and no arithmetic is left outside of fusions', () => {
      expect(step.program.fusions).toContainEqual(expect.arrayContaining(['subtract', 'rsqrt', 'erf'])); // x − mean, / deviation, GELU
      expect(step.program.fusions).toContainEqual(expect.arrayContaining(['sqrt', 'divide', 'tuple'])); // the update and both moments
      const kept = ['parameter', 'fusion', 'custom-call', 'get-tuple-element', 'copy', 'tuple'];
      expect(step.program.entry.filter((opcode) => !kept.includes(opcode))).toEqual([]);
    });

    test('its state is updated in place', () => {
      expect(step.memory.aliased).toBe(stateBytes);
    });
  });
}
