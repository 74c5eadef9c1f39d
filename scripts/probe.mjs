// Measures by a linear probe what each stage of a network knows of fresh phantoms (test/study/probe.ts). A script and no command:
// it answers questions about the method on made-up images; `unimiss embed` gives users the features of theirs.
// Usage: node scripts/probe.mjs [RUN] [--preset nano] [--network teacher|student|random] [--count 256] [--phantom-seed 1000]
//   [--labels 4,16] [--modality 3D] [--plane 96] [--pixels 96] [--phantoms FOLDER] [--json]
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { bundleForNode } from './bundleForNode.mjs';
import { root } from './setup.mjs';

const outfile = join(root, 'dist', 'study', 'probe.mjs');
mkdirSync(join(root, 'dist', 'study'), { recursive: true });
await bundleForNode(join(root, 'test', 'study', 'probe.ts'), outfile);
execFileSync(process.execPath, [outfile, ...process.argv.slice(2)], { stdio: 'inherit' });
