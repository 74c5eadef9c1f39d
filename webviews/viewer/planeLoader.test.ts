import { deflateRawSync } from 'node:zlib';
import { expect, it } from 'vitest';
import type { PlanePiece, PlaneRequest } from '../../protocol/viewer/planes.ts';
import { PlaneLoader } from './planeLoader.ts';

/** A loader, what it has asked for, and answers with the number of the plane in every pixel. */
function open() {
  const asked: PlaneRequest[] = [];
  let drawn = 0;
  const loader = new PlaneLoader(
    0,
    (request) => asked.push(request),
    () => drawn++,
  );
  const answer = (index: number, more: Partial<PlanePiece> = {}, value = index) =>
    loader.receive({
      ...{
        plane: 'axial',
        index,
        layer: 0,
        width: 1,
        height: 1,
        kind: 'int16',
        slope: 1,
        intercept: 0,
        complete: true,
      },
      deflated: deflateRawSync(new Uint8Array(Int16Array.of(value).buffer)),
      ...more,
    });
  const shown = (index: number, reading = false) => loader.get('axial', index, reading)?.numbers[0];
  const indices = () => asked.map(({ index }) => index);
  return { loader, asked, answer, shown, indices, draws: () => drawn };
}

it('keeps a few requests under way, so that a delayed line does not limit how many planes are seen', async () => {
  const { answer, shown, indices } = open();
  for (const index of [0, 1, 2, 3, 4, 5]) expect(shown(index)).toBeUndefined();
  expect(indices()).toEqual([0, 1, 2, 3]);
  // What was passed over in the meantime is not asked for, but where the wheel is now.
  await answer(0);
  expect(indices()).toEqual([0, 1, 2, 3, 5]);
  expect(shown(5)).toBe(0);
  for (const index of [1, 2, 3, 5]) await answer(index);
  expect(shown(5)).toBe(5);
  expect(shown(2)).toBe(2);
  expect(indices()).toEqual([0, 1, 2, 3, 5]);
});

it('asks for no plane twice while it is under way', async () => {
  const { answer, shown, indices } = open();
  for (let frame = 0; frame < 3; frame++) shown(7);
  expect(indices()).toEqual([7]);
  await answer(7);
  expect(shown(7)).toBe(7);
  expect(indices()).toEqual([7]);
});

it('while a file is read, one request is under way, and what is in sight is not fetched again at once', async () => {
  const { loader, answer, shown, asked, indices } = open();
  shown(9, true);
  shown(8, true);
  expect(asked).toMatchObject([{ index: 9, nearest: true }]);
  // The nearest plane that there is.
  await answer(3, { complete: false });
  expect(shown(8, true)).toBe(3);
  loader.readMore(false);
  expect(indices()).toEqual([9, 8]);
  await answer(8, { complete: false });
  loader.readMore(false);
  expect(indices()).toEqual([9, 8]);
  loader.readMore(true);
  expect(asked.at(-1)).toMatchObject({ index: 8, nearest: false });
  await answer(8);
  expect(shown(8)).toBe(8);
});

it('shows what was there until a changed image has come, also if a plane was under way at the change', async () => {
  const { loader, answer, shown, indices } = open();
  shown(1);
  await answer(1, {}, 10);
  shown(2);
  loader.renew();
  await answer(2, {}, 20);
  expect(shown(2)).toBe(20);
  expect(indices()).toEqual([1, 2, 2]);
  await answer(2, {}, 21);
  expect(shown(2)).toBe(21);
  expect(shown(1)).toBe(21);
  await answer(1, {}, 11);
  expect(shown(1)).toBe(11);
});
