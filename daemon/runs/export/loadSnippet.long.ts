import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { exportRun } from './exportRun.ts';
import { pretrainedRun } from './runs.fixtures.ts';

const folder = mkdtempSync(join(tmpdir(), 'unimiss-load-'));
afterAll(() => rmSync(folder, { recursive: true }));
const python = 'python3';

function hasTorch(): boolean {
  try {
    execFileSync(python, ['-c', 'import torch'], { stdio: 'ignore' });
    return true;
  } catch {
    return false; // no Python, or one without PyTorch
  }
}

test.skipIf(!hasTorch())('load.py gives PyTorch the weights and the plan', async () => {
  const out = join(folder, 'out');
  const run = await pretrainedRun(join(folder, 'runs'));
  const { parameters } = await exportRun(run, out, { network: 'student', onNotice: () => undefined });
  const program = `
import json, sys
sys.path.insert(0, sys.argv[1])
from load import load
weights, plan = load(sys.argv[1] + "/model.safetensors")
print(json.dumps([sum(w.numel() for w in weights.values()), float(weights["backbone.norm.bias"][0]), plan["role"], list(weights["backbone.transformer.patch_embed3D0.conv.weight"].shape)]))`;
  const text = execFileSync(python, ['-c', program, out], { encoding: 'utf8' });
  expect(JSON.parse(text)).toEqual([parameters, 2, 'student', [16, 1, 7, 7, 7]]);
});
