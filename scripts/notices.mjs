import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The licences of bundled packages as one text, which their authors require us to ship.
 * @param metafiles of esbuild
 * @param others folders of packages that ship unbundled
 */
export function notices(metafiles, others) {
  const inputs = metafiles.flatMap((meta) => Object.keys(meta.inputs));
  const bundled = inputs.map((input) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0]);
  const folders = [...new Set([...bundled, ...others])].filter((folder) => folder !== undefined).sort();
  const texts = folders.map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const files = readdirSync(folder).filter((file) => /^(licen[cs]e|notice|copying)/i.test(file));
    const body = files.map((file) => readFileSync(join(folder, file), 'utf8').trim()).join('\n\n');
    return `${name} ${version} (${license})\n${'-'.repeat(60)}\n${body || `Licence: ${license}`}`;
  });
  return `UniMiSS contains these packages.\n\n${texts.join(`\n\n${'='.repeat(60)}\n\n`)}\n`;
}
