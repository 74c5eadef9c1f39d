import { expect, test } from 'vitest';
import type { Attrs } from '../../attributes.ts';
import { DataType } from '../../dataType.ts';
import type { NodeInput } from '../../trace.ts';
import { ModuleWriter } from '../moduleWriter.ts';

/** The text of a module that reduces the first axis of four values. */
function reducing(type: string, dtype: number, attrs: Attrs = {}): string {
  const writer = new ModuleWriter('reducing', 'HIGHEST');
  const x = writer.parameter('x', dtype, [4]);
  const axes = writer.constant('axes', DataType.int32, [1], Int32Array.of(0));
  const inputs = [x, axes].map((output): NodeInput => ({ ...output, trace: {} as never }));
  return writer.finish('reducing', [x], writer.node('y', type, inputs, attrs, [], 1)).text;
}

test.each([
  ['Max', DataType.float32, 'dense<0xFF800000> : tensor<f32>'],
  ['Min', DataType.float32, 'dense<0x7F800000> : tensor<f32>'],
  ['Max', DataType.int32, 'dense<-2147483648> : tensor<i32>'],
  ['Min', DataType.int32, 'dense<2147483647> : tensor<i32>'],
  ['Max', DataType.uint8, 'dense<0> : tensor<ui8>'],
  ['Min', DataType.uint8, 'dense<255> : tensor<ui8>'],
])('%s of type %i begins at the limit of the type', (type, dtype, start) => {
  expect(reducing(type, dtype)).toContain(`stablehlo.constant ${start}`);
});

test.each([
  ['Max', DataType.int64, /^Max\(int64\[4\], int32\[1\]\) in step reducing: .*extremes of int64 are not supported/],
  ['Min', DataType.int64, /extremes of int64 are not supported/],
  ['Sum', DataType.float16, /^Sum\(float16\[4\], int32\[1\]\) .*constants of float16 are not supported/],
])('%s of type %i is refused: its start would be wrong', (type, dtype, message) => {
  expect(() => reducing(type, dtype)).toThrow(message);
});
