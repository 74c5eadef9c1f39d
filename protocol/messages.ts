import * as config from './configMessages.ts';
import * as engine from './engineMessages.ts';
import * as lifecycle from './lifecycleMessages.ts';
import * as logs from './logMessages.ts';
import * as metrics from './metricsMessages.ts';
import type { MessageType } from './rpc.ts';
import * as runs from './runMessages.ts';

/**
 * Everything that clients and the daemon say to each other, declared once: JSON-RPC 2.0 in the framing of LSP
 * (`Content-Length: …`), over a Unix socket or the standard streams of `unimiss connect`. Each declaration is a typed constant
 * with the zod schemas of what it takes and answers; both ends check by it (rpc.ts). The reference, docs/protocol.md, is
 * made from it.
 */
export * from './configMessages.ts';
export * from './engineMessages.ts';
export * from './lifecycleMessages.ts';
export * from './logMessages.ts';
export * from './metricsMessages.ts';
export * from './runMessages.ts';

/** A frame whose header announces more is refused before a byte of it is kept, and the connection closed. */
export const largestMessageBytes = 16 * 2 ** 20;

const topics: Record<string, Record<string, unknown>> = {
  Conversation: lifecycle,
  Runs: runs,
  'Metrics and previews': metrics,
  Logs: logs,
  Configuration: config,
  Engine: engine,
};

/** All declarations by topic, in the order of their files; for the reference. */
export function messagesByTopic(): { topic: string; messages: MessageType[] }[] {
  const isMessage = (value: unknown): value is MessageType =>
    typeof value === 'object' && value !== null && 'method' in value;
  return Object.entries(topics).map(([topic, file]) => ({ topic, messages: Object.values(file).filter(isMessage) }));
}
