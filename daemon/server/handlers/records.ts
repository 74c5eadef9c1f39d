import { recordsRead } from '../../../protocol/records/messages.ts';
import { readRecordsAfter } from '../../runs/records/recordReader.ts';
import { type Handler, handle } from '../wire/handler.ts';
import type { Services } from './services.ts';

export function recordHandlers({ registry }: Services): Handler[] {
  return [
    handle(recordsRead, async ({ run, after }) => readRecordsAfter((await registry.find(run)).recordsFile, after)),
  ];
}
