import { humanBytes } from '../../../protocol/words.ts';
import type { EngineInfo } from './info.ts';

/** `unimiss engine info` as lines for people; `tidy` may shorten paths. */
export function engineInfoText(info: EngineInfo, tidy: (path: string) => string = (path) => path): string {
  const lines = [`\`unimiss engine install\` installs TensorFlow ${info.pinned}`];
  lines.push(`cache        ${tidy(info.cache)}`);
  for (const { folder, manifest, bytes, damage } of info.installed) {
    const what = manifest
      ? `${manifest.version} for ${manifest.device}, ${manifest.arch}, ${humanBytes(bytes)}`
      : 'unknown';
    lines.push(`installed    ${tidy(folder)}: ${what}; ${damage ? `DAMAGED: ${tidy(damage)}` : 'whole'}`);
  }
  if (info.used) {
    const { origin, folder, version, cuda } = info.used;
    const from = { cache: 'the cache', environment: 'UNIMISS_TENSORFLOW' }[origin];
    const libraries = cuda ? `, with ${cuda.preload.length} libraries of CUDA` : '';
    lines.push(`used         ${tidy(folder)} (from ${from}${version ? `, ${version}` : ''}${libraries})`);
  } else lines.push(`used         none: ${tidy(info.problem ?? '')}`);
  if (info.plugin) {
    const { file, version } = info.plugin;
    lines.push(`plugin       ${tidy(file)} (${version ? `from the cache, ${version}` : 'from UNIMISS_PJRT'})`);
  }
  return lines.join('\n');
}
