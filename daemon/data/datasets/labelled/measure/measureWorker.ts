/** The worker thread that reads labelled images: one task after another. */
import { type MessagePort, parentPort } from 'node:worker_threads';
import { toErrorData } from '../../../../../protocol/daemon/wireError.ts';
import { messageOf, UnimissError } from '../../../../../protocol/errors.ts';
import { readLabelMap } from '../../../formats/labelMap.ts';
import type { MeasureAnswer, MeasureRequest } from './inThreads.ts';
import { measureCase } from './measureCase.ts';

const port = parentPort as MessagePort;

port.on('message', async (request: MeasureRequest) => {
  try {
    port.postMessage({ done: await answer(request) } satisfies MeasureAnswer);
  } catch (error) {
    const data =
      error instanceof UnimissError
        ? toErrorData(error)
        : ({ code: 'internal', what: (error instanceof Error && error.stack) || messageOf(error) } as const);
    port.postMessage({ failed: data } satisfies MeasureAnswer);
  }
});

async function answer(request: MeasureRequest) {
  if (request.kind === 'case') return { kind: 'case', measure: await measureCase(request.task) } as const;
  const { data, names = new Map() } = await readLabelMap(request.path);
  return { kind: 'values', values: [...new Set(data)].sort((a, b) => a - b), names } as const;
}
