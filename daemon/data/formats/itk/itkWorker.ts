/**
 * The thread in which ITK's pipelines run: they are WebAssembly, block until they are done, and throw numbers. One task at a time.
 * The pipelines lie beside this file, so that nothing is fetched from a network.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parentPort } from 'node:worker_threads';
import { type Image, InterfaceTypes, type JsonCompatible, type PipelineInput, runPipelineNode } from 'itk-wasm';
import type { ItkAnswer, ItkImage, ItkInput, ItkTask } from './itkTask.ts';

const outputTypes = { image: InterfaceTypes.Image, json: InterfaceTypes.JsonCompatible } as const;

function inputOf(input: ItkInput): PipelineInput {
  if ('file' in input)
    return {
      type: InterfaceTypes.BinaryFile,
      data: { path: input.as, data: new Uint8Array(readFileSync(input.file)) },
    };
  if ('json' in input) return { type: InterfaceTypes.JsonCompatible, data: input.json as JsonCompatible };
  return { type: InterfaceTypes.Image, data: input.image as unknown as Image };
}

async function run({ pipeline, args, inputs, outputs, mounts }: ItkTask): Promise<ItkAnswer> {
  const place = fileURLToPath(new URL(`./pipelines/${pipeline}`, import.meta.url));
  const given = inputs.map(inputOf);
  const wanted = outputs.map((output) => ({ type: outputTypes[output] }));
  const done = await runPipelineNode(place, [...args, '--memory-io'], wanted, given, new Set(mounts));
  if (done.returnValue !== 0) return { failed: done.stderr || `returned ${done.returnValue}` };
  const results = done.outputs.map((output) => output.data) as unknown as (ItkImage | string)[];
  return { results };
}

parentPort?.on('message', (task: ItkTask) => {
  run(task)
    .catch((error: unknown): ItkAnswer => ({ failed: error instanceof Error ? error.message : `threw ${error}` }))
    .then((answer) => parentPort?.postMessage(answer));
});
