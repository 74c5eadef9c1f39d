// Fine-tunes networks on phantoms by several recipes and arms in one process (test/study/finetune.ts): a pre-trained start against
// scratch, or parts of it. A script and no command: it answers questions about the method on made-up images.
// Usage: node scripts/finetuneStudy.mjs [RUN] [--modality 3D] [--arms scratch,teacher,student] [--recipes 'a:lr=5e-4;b:lr=2e-3']
//   [--labels 4,16] [--seeds 1,2,3] [--values product|pretrain] [--json]
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { bundleForNode } from './bundleForNode.mjs';
import { root } from './setup.mjs';

const outfile = join(root, 'dist', 'study', 'finetune.mjs');
mkdirSync(join(root, 'dist', 'study'), { recursive: true });
await bundleForNode(join(root, 'test', 'study', 'finetune.ts'), outfile);
execFileSync(process.execPath, [outfile, ...process.argv.slice(2)], { stdio: 'inherit' });
