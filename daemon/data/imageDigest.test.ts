import { expect, test } from 'vitest';
import { imageDigest } from './imageDigest.ts';
import type { Volume } from './types.ts';

const volume = (data: Volume['data'], shape: Volume['shape'] = [1, 2, 2]): Volume => ({
  kind: '3D',
  shape,
  data,
  spacing: [3, 1, 1],
});

test('equal values have equal digests, whatever their type and spacing', () => {
  const integers = volume(Int16Array.of(-1000, 0, 40, 3071));
  expect(imageDigest({ ...integers, data: Float32Array.of(-1000, 0, 40, 3071), spacing: [1, 1, 1] })).toBe(
    imageDigest(integers),
  );
});

test('another value, another shape and another kind have another digest', () => {
  const images = [
    volume(Int16Array.of(1, 2, 3, 4)),
    volume(Int16Array.of(1, 2, 3, 5)),
    volume(Float32Array.of(1, 2, 3, 4.5)),
    volume(Float32Array.of(1, 2, 3, 40_000)),
    volume(Int16Array.of(1, 2, 3, 4), [2, 1, 2]),
    { kind: '2D' as const, width: 2, height: 1, data: Uint8Array.of(1, 2, 3, 4, 5, 6) },
    { kind: '2D' as const, width: 1, height: 2, data: Uint8Array.of(1, 2, 3, 4, 5, 6) },
  ];
  expect(new Set(images.map(imageDigest)).size).toBe(images.length);
});
