import { Message, type ResponseMessage } from 'vscode-jsonrpc/node.js';
import { rpcErrorCodes } from '../../../protocol/daemon/wireError.ts';

/**
 * The answer to a message that is no request, notification or response of JSON-RPC (vscode-jsonrpc answers none of these, and the
 * client waits for ever): -32600 with the id of the message, null where that is neither a text nor a number.
 * @returns undefined where the message is one
 */
export function answerToInvalid(message: Message): ResponseMessage | undefined {
  if (Message.isRequest(message) || Message.isNotification(message) || Message.isResponse(message)) return undefined;
  const { id, method } = (message ?? {}) as { id?: unknown; method?: unknown };
  const sound = typeof id === 'string' || typeof id === 'number';
  const what =
    typeof method === 'string'
      ? 'the id of a request must be a string or a number'
      : 'a request must have a method, which is a string';
  return {
    jsonrpc: '2.0',
    id: sound ? id : null,
    error: { code: rpcErrorCodes.invalidRequest, message: `Invalid Request: ${what}` },
  };
}
