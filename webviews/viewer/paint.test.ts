import { expect, it } from 'vitest';
import type { LoadedPlane } from '../../protocol/viewer/readPiece.ts';
import { agreementColors } from '../shared/agreement.ts';
import { paintOverlays, type ShownLayer } from './paint.ts';
import { withComparison } from './shownLayers.ts';
import { firstState } from './state.ts';

/** A label map of one row. */
function shown(layer: number, numbers: readonly number[], hidden: readonly number[] = []): ShownLayer {
  const plane = { plane: 'axial', index: 0, width: numbers.length, height: 1, numbers, slope: 1, intercept: 0 };
  return {
    info: { layer, content: { kind: 'labels', labels: [] } } as never,
    look: { visible: true, style: 'fill', opacity: 1, hidden },
    plane: plane as unknown as LoadedPlane,
  };
}

/** Colours of the agreement, by their names; '' where nothing is drawn. */
function drawn(reference: ShownLayer, prediction: ShownLayer): string[] {
  const data = new Uint8ClampedArray(4 * prediction.plane.numbers.length);
  paintOverlays(
    {
      ...{ plane: prediction.plane, window: { low: 0, high: 1 }, colors: 'grey' },
      layers: [reference, prediction],
      compared: { reference, prediction },
    },
    data,
  );
  const names = Object.entries(agreementColors);
  return Array.from({ length: data.length / 4 }, (_, i) => {
    const pixel = [...data.subarray(4 * i, 4 * i + 3)];
    if (data[4 * i + 3] === 0) return '';
    return names.find(([, color]) => pixel.every((part, c) => Math.abs(part - color[c]!) <= 1))?.[0] ?? 'another';
  });
}

it('a comparison leaves out a label that is off in the reference or in the prediction', () => {
  const [is, said] = [
    [0, 1, 1, 2, 2, 0],
    [0, 1, 2, 1, 2, 2],
  ];
  expect(drawn(shown(1, is), shown(2, said))).toEqual(['', 'right', 'other', 'other', 'right', 'extra']);
  const withoutOne = ['', '', 'extra', 'missed', 'right', 'extra'];
  expect(drawn(shown(1, is, [1]), shown(2, said))).toEqual(withoutOne);
  expect(drawn(shown(1, is), shown(2, said, [1]))).toEqual(withoutOne);
});

it('a comparison makes its layers visible', () => {
  const off = { visible: false, style: 'fill', opacity: 1, hidden: [1] } as const;
  const state = { ...firstState, looks: { 1: off, 2: off, 3: off } };
  const compare = { reference: 1, prediction: 2 };
  const on = { ...off, visible: true };
  expect(withComparison(state, compare)).toEqual({ looks: { 1: on, 2: on, 3: off }, compare });
  expect(withComparison(state, undefined)).toEqual({ looks: state.looks, compare: undefined });
});
