import type { LabelInfo, LayerInfo, LayerLook } from '../../protocol/viewer/layers.ts';

type Rgb = readonly [red: number, green: number, blue: number];

/** Colours that differ also for people who see fewer of them (Okabe & Ito 2008, brightened for black). */
const first: readonly Rgb[] = [
  [230, 159, 0],
  [86, 180, 233],
  [0, 178, 135],
  [240, 228, 66],
  [80, 140, 255],
  [240, 110, 40],
  [226, 130, 190],
];

/** The colour of a label by its value, so that a class has the same in reference and prediction: those above, then hues by the golden ratio. */
export function labelColor(value: number): Rgb {
  const index = Math.max(0, (value & 0xffff) - 1);
  const known = first[index];
  if (known) return known;
  const hue = ((index - first.length) * 0.61803398875 + 0.05) % 1;
  const light = index % 2 === 0 ? 1 : 0.72;
  const channel = (shift: number) => {
    const distance = Math.abs(((hue + shift) % 1) * 6 - 3);
    return Math.round(255 * light * (0.2 + 0.8 * Math.min(1, Math.max(0, distance - 1))));
  };
  return [channel(0), channel(2 / 3), channel(1 / 3)];
}

/** Red, green, blue and opacity (0 to 1) by label: four numbers for each of 65,536. A label that is switched off is transparent. */
export function colorTable(labels: readonly LabelInfo[], { hidden }: LayerLook): Float32Array {
  const table = new Float32Array(4 * 65536);
  const off = new Set(hidden);
  for (const { value } of labels) if (!off.has(value)) table.set([...labelColor(value), 1], 4 * (value & 0xffff));
  return table;
}

export function firstLook({ layer, content }: LayerInfo): LayerLook {
  // A label map that is shown itself has no image below.
  if (layer === 0) return { visible: true, style: 'fill', opacity: 1, hidden: [] };
  return { visible: true, style: content.kind === 'labels' ? 'both' : 'fill', opacity: 0.4, hidden: [] };
}
