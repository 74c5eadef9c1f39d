import { Message, type ResponseMessage } from 'vscode-jsonrpc/node.js';
import { rpcErrorCodes } from '../../../protocol/daemon/wireError.ts';

/**
 * The answer to a message that is no request, notification or response of JSON-RPC: -32600 with the id of the message, or null if
 * that is neither a string nor a number. (vscode-jsonrpc does not answer such messages, and the client would wait for ever.)
 * @returns undefined if the message is valid
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
