import { build } from 'esbuild';

/** Bundles an entry for this Node, without the packages: the outfile has to lie inside the project, so that they are found. */
export async function bundleForNode(entry, outfile) {
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    logLevel: 'warning',
  });
  return outfile;
}
