import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { FrameLocator } from 'playwright-core';
import { z } from 'zod';

/** What axe found: rules, and where. */
const findings = z.array(z.tuple([z.string(), z.array(z.string())]));
export type Finding = z.infer<typeof findings>[number];

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe finds in a page of the extension inside the editor. The debugger brings axe in, which the page's policy would refuse. */
export async function axeFindings(page: FrameLocator): Promise<Finding[]> {
  const found: unknown = await page.locator(':root').evaluate(`(async () => {
    if (!globalThis.axe) { ${source} }
    const { violations } = await globalThis.axe.run();
    return violations.map(({ id, nodes }) => [id, nodes.map(({ target }) => target.join(' '))]);
  })()`);
  return findings.parse(found);
}
