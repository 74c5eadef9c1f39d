import type { PlaneName } from '../../protocol/viewer/geometry.ts';
import type { PlanePane } from './planePane.ts';

/** The planes in sight as one PNG, as they lie on the screen, with captions and letters. */
export async function pictureOf(panes: Readonly<Record<PlaneName, PlanePane>>): Promise<Uint8Array<ArrayBuffer>> {
  const shown = Object.values(panes).filter(({ root }) => !root.hidden);
  const boxes = shown.map((pane) => ({ pane, box: pane.root.getBoundingClientRect() }));
  const left = Math.min(...boxes.map(({ box }) => box.left));
  const top = Math.min(...boxes.map(({ box }) => box.top));
  const ratio = globalThis.devicePixelRatio || 1;
  const canvas = document.createElement('canvas');
  canvas.width = Math.round(ratio * (Math.max(...boxes.map(({ box }) => box.right)) - left));
  canvas.height = Math.round(ratio * (Math.max(...boxes.map(({ box }) => box.bottom)) - top));
  const context = canvas.getContext('2d');
  if (!context) throw new Error('the browser gives no canvas');
  context.fillStyle = '#000';
  context.fillRect(0, 0, canvas.width, canvas.height);
  for (const { pane, box } of boxes) {
    context.drawImage(pane.drawing, ratio * (box.left - left), ratio * (box.top - top));
    context.fillStyle = '#fff';
    context.textBaseline = 'top';
    context.font = `${13 * ratio}px sans-serif`;
    for (const text of pane.root.querySelectorAll<HTMLElement>('.caption, .edge')) {
      const at = text.getBoundingClientRect();
      context.fillText(text.textContent ?? '', ratio * (at.left - left + 4), ratio * (at.top - top + 2));
    }
  }
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'));
  if (!blob) throw new Error('the browser makes no PNG');
  return new Uint8Array(await blob.arrayBuffer());
}
