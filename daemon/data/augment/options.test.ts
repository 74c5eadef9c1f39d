import { expect, it } from 'vitest';
import { views2DOptions, views3DOptions } from './options.ts';

it('has the probabilities of the reference implementation by default', () => {
  const [a2, b2] = views2DOptions().views;
  expect([a2.grey, b2.grey, a2.blur.probability, b2.blur.probability]).toEqual([0.8, 0.4, 0.5, 1]);
  const [a3, b3] = views3DOptions().views;
  expect([a3.blur.volume, b3.blur.volume, a3.blur.slice, b3.blur.slice]).toEqual([0.8, 0.8, 0.8, 0.5]);
  expect([a3.multiply.volume, b3.multiply.volume]).toEqual([0.8, 1]);
  expect([a3.add.volume, b3.add.volume, a3.add.slice, b3.add.slice]).toEqual([0.8, 0.5, 0.8, 0.8]);
  expect([a3.contrast.volume, b3.contrast.volume, a3.gamma.volume, b3.gamma.volume]).toEqual([1, 1, 0.8, 1]);
});

it('is plain data, for worker threads and run folders', () => {
  for (const options of [views2DOptions(), views3DOptions()])
    expect(JSON.parse(JSON.stringify(structuredClone(options)))).toEqual(options);
});

it('pads volumes to as many sizes of a view as asked', () => {
  expect(views3DOptions([16, 64, 64], 'slice', 1.5).padTo).toEqual([16, 96, 96]);
  expect(views3DOptions([16, 64, 64]).padTo).toEqual([16, 171, 171]);
});

it('keeps room for the parent crop at every size of view', () => {
  expect(views3DOptions([16, 96, 96]).padTo).toEqual([16, 256, 256]);
  for (const side of [32, 64, 96, 128, 224]) {
    const options = views3DOptions([16, side, side]);
    expect(options.padTo[1]).toBeGreaterThanOrEqual(side * options.parentCrop[1]);
  }
});
