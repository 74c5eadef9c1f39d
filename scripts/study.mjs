// Runs a study of the method on made-up images (test/study/NAME.ts). Scripts and no commands: they answer questions about the method.
//   node scripts/study.mjs starts RUN [--crop3D 1.2,1.5 …]   what pre-training and fine-tuning see; how far parameters moved
//   node scripts/study.mjs finetune [RUN] [--modality 3D] [--arms scratch,teacher,student] [--recipes 'a:lr=5e-4;b:lr=2e-3']
//     [--labels 4,16] [--seeds 1,2,3] [--values product|pretrain] [--augment '{"blur":0}'] [--no-augment] [--json]    a pre-trained start, or parts of it, against scratch
//   node scripts/study.mjs probe …   as scripts/probe.mjs
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { bundleForNode } from './bundleForNode.mjs';
import { root } from './setup.mjs';

const [name, ...args] = process.argv.slice(2);
if (!name) throw new Error('Name a study: starts, finetune or probe.');
const outfile = join(root, 'dist', 'study', `${name}.mjs`);
mkdirSync(join(root, 'dist', 'study'), { recursive: true });
await bundleForNode(join(root, 'test', 'study', `${name}.ts`), outfile);
execFileSync(process.execPath, [outfile, ...args], { stdio: 'inherit' });
