import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blurSeparably, gaussianKernel, type Mirror, mirrorIndex } from './gaussian.ts';

const mirrors = fc.constantFrom<Mirror>('edgeOnce', 'edgeTwice');

describe('gaussianKernel', () => {
  it('sums to 1 on both sides and falls from the centre as a Gaussian does', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.1, max: 5, noNaN: true }), fc.integer({ min: 0, max: 20 }), (sigma, radius) => {
        const half = gaussianKernel(sigma, radius);
        expect(half.length).toBe(radius + 1);
        expect(half[0]! + 2 * half.slice(1).reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
        for (let i = 1; i <= radius; i++)
          expect(half[i]).toBeCloseTo(half[0]! * Math.exp((-i * i) / (2 * sigma * sigma)), 12);
      }),
    );
  });
});

describe('mirrorIndex', () => {
  it('mirrors without and with the edge repeated, as often as it takes', () => {
    const around = (length: number, mirror: Mirror) =>
      Array.from({ length: 13 }, (_, i) => mirrorIndex(i - 5, length, mirror));
    expect(around(3, 'edgeOnce')).toEqual([1, 0, 1, 2, 1, 0, 1, 2, 1, 0, 1, 2, 1]);
    expect(around(3, 'edgeTwice')).toEqual([1, 2, 2, 1, 0, 0, 1, 2, 2, 1, 0, 0, 1]);
    expect(around(1, 'edgeOnce')).toEqual(new Array(13).fill(0));
    expect(around(1, 'edgeTwice')).toEqual(new Array(13).fill(0));
  });
});

describe('blurSeparably', () => {
  it('equals the plain two-dimensional convolution, at its place and for any size', () => {
    const size = fc.tuple(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 7 }), fc.constantFrom(1, 3));
    fc.assert(
      fc.property(size, fc.integer({ min: 0, max: 9 }), mirrors, ([height, width, channels], radius, mirror) => {
        const length = height * width * channels;
        const kernel = gaussianKernel(1.5, radius);
        const image = Float32Array.from({ length: length + 2 }, (_, i) => Math.sin(i * i));
        const before = image.slice();
        const target = { values: image, offset: 1, size: [height, width, channels] } as const;
        blurSeparably(target, kernel, mirror, new Float32Array(length));
        expect([image[0], image[length + 1]]).toEqual([before[0], before[length + 1]]);
        for (let i = 0; i < length; i++) {
          const [c, x, y] = [i % channels, Math.floor(i / channels) % width, Math.floor(i / channels / width)];
          let sum = 0;
          for (let dy = -radius; dy <= radius; dy++) {
            for (let dx = -radius; dx <= radius; dx++) {
              const from = mirrorIndex(y + dy, height, mirror) * width + mirrorIndex(x + dx, width, mirror);
              sum += kernel[Math.abs(dy)]! * kernel[Math.abs(dx)]! * before[1 + from * channels + c]!;
            }
          }
          expect(image[1 + i]).toBeCloseTo(sum, 5);
        }
      }),
      { numRuns: 40 },
    );
  });
});
