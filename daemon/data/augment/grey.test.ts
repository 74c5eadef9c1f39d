import { expect, it } from 'vitest';
import { toGrey } from './grey.ts';

it("gives every channel PIL's luma", () => {
  const pixels = Uint8Array.from([
    255, 0, 0, 12, 200, 31, 90, 90, 90, 250, 251, 249, 0, 0, 0, 13, 17, 240, 128, 64, 200, 77, 180, 179,
  ]);
  toGrey(pixels);
  expect([...pixels]).toEqual([76, 125, 90, 250, 0, 41, 99, 149].flatMap((luma) => [luma, luma, luma]));
});
