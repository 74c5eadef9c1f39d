import { expect, it } from 'vitest';
import { colorTable, labelColor } from './labelColors.ts';

const label = (value: number) => ({
  value,
  name: `class ${value}`,
  voxels: 1,
  milliliters: 1,
  largest: [0, 0, 0] as const,
});
const look = { visible: true, style: 'fill' as const, opacity: 1, hidden: [3] };

it('a class has one colour, whichever others a label map has', () => {
  const [reference, prediction] = [
    [1, 4, 5],
    [1, 3, 5, 7],
  ].map((values) => colorTable(values.map(label), look));
  const at = (table: Float32Array | undefined, value: number) => [...(table?.subarray(4 * value, 4 * value + 4) ?? [])];
  for (const value of [1, 5]) {
    expect(at(prediction, value)).toEqual(at(reference, value));
    expect(at(prediction, value)).toEqual([...labelColor(value), 1]);
  }
  expect(at(prediction, 3)).toEqual([0, 0, 0, 0]); // switched off
});

it('the classes of a whole body differ', () => {
  const colors = Array.from({ length: 117 }, (_, i) => labelColor(i + 1).join(' '));
  expect(new Set(colors).size).toBe(117);
});

it('every value that a file can hold has a colour', () => {
  for (const value of [-1, 0, 255, 65535, -32768])
    for (const channel of labelColor(value)) expect(channel).toSatisfy((n: number) => n >= 0 && n <= 255);
});
