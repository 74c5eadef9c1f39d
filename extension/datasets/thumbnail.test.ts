import { decode } from 'fast-png';
import { expect, it, vi } from 'vitest';
import type { LoadedPlane } from '../../protocol/viewer/readPiece.ts';

vi.mock('vscode', () => import('../../test/extension/vscode.ts'));

const { drawThumbnail } = await import('./thumbnail.ts');

const range = { low: -100, high: 155, ct: true };
function plane(
  kind: LoadedPlane['kind'],
  numbers: LoadedPlane['numbers'],
  width: number,
  height: number,
  slope = 1,
): LoadedPlane {
  return { plane: 'axial', index: 0, layer: 0, complete: true, kind, width, height, slope, intercept: 0, numbers };
}

it('shows values between the ends of the range, as the file scales them', () => {
  const given = plane('int16', Int16Array.from([-2000, -50, 27, 2000]), 2, 2, 2);
  const { width, height, data } = decode(drawThumbnail(given, range, [5, 1, 1]));
  expect([width, height]).toEqual([2, 2]);
  expect([...data]).toEqual([0, 0, 154, 255]);
});

it('keeps the shape of the body where pixels are not square, and is small', () => {
  const given = plane('uint16', new Uint16Array(1000 * 500), 1000, 500);
  const { width, height } = decode(drawThumbnail(given, range, [5, 1, 0.5]));
  expect([width, height]).toEqual([160, 160]);
  const flat = decode(drawThumbnail(given, range, [5, 1, 100]));
  expect([flat.width, flat.height]).toEqual([160, 1]);
});

it('keeps colours', () => {
  const given = plane('rgb', Uint8Array.from([255, 0, 0, 0, 0, 255]), 2, 1);
  const { channels, data } = decode(drawThumbnail(given, range, [1, 1, 1]));
  expect(channels).toBe(3);
  expect([...data]).toEqual([255, 0, 0, 0, 0, 255]);
});
