import { randomBytes } from 'node:crypto';

/**
 * A content security policy for a page of ours: it fetches nothing, and runs only scripts and styles that bear `nonce`.
 * @param pictures whether it may show pictures that arrive as data
 */
export function pagePolicy({ pictures }: { readonly pictures: boolean }): { nonce: string; policy: string } {
  const nonce = randomBytes(24).toString('base64');
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src 'nonce-${nonce}'`,
    ...(pictures ? ['img-src data:'] : []),
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return { nonce, policy };
}
