import { expect, it } from 'vitest';
import { view2DPreview, view3DPreview } from './preview.ts';

it('shows a 2D view as 8-bit RGB', () => {
  const preview = view2DPreview(Float32Array.of(0, 0.5, 1, 0.2, -1, 2), [1, 2]);
  expect(preview).toEqual({ width: 2, height: 1, channels: 3, data: Uint8Array.of(0, 128, 255, 51, 0, 255) });
});

it('shows the slices of a 3D view side by side, from −1024 to 1024 HU', () => {
  const slices = Float32Array.of(-1, -0.5, 0, 0.5, 1, 2, -2, 0);
  const { width, height, channels, data } = view3DPreview(slices, [2, 2, 2]);
  expect([width, height, channels]).toEqual([4, 2, 1]);
  expect([...data]).toEqual([0, 64, 255, 255, 128, 191, 0, 128]);
});
