import { recordsRead } from '../../protocol/recordMessages.ts';
import { readRecordsAfter } from '../runs/recordReader.ts';
import { type Handler, handle, type Services } from './handlers.ts';

export function recordHandlers({ registry }: Services): Handler[] {
  return [
    handle(recordsRead, async ({ run, after }) => readRecordsAfter((await registry.find(run)).recordsFile, after)),
  ];
}
