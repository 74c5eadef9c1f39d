import { randomBytes } from 'node:crypto';

/** A content security policy for a page of ours: it fetches nothing, and runs only scripts and styles that bear `nonce`. */
export function pagePolicy(): { nonce: string; policy: string } {
  const nonce = randomBytes(24).toString('base64');
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src 'nonce-${nonce}'`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return { nonce, policy };
}
