import './report.css';
import type { LabelledPlane } from '../../protocol/evaluation/plane.ts';
import { embeddedPlanesId, planeAttribute } from '../../protocol/evaluation/planeLabels.ts';
import { drawPlane } from '../shared/plane.ts';
import { type EditorCases, offerCases } from './openCases.ts';
import { makeSortable } from './sort.ts';

/** What the report's markup cannot do alone: sort tables and draw planes. */
for (const table of document.querySelectorAll<HTMLTableElement>('table.sortable')) makeSortable(table);

// Of this very file, so it needs no check; a checker would compile code, which the page's policy refuses.
const planes: LabelledPlane[] = JSON.parse(document.getElementById(embeddedPlanesId)?.textContent ?? '[]');
for (const canvas of document.querySelectorAll<HTMLCanvasElement>(`canvas[${planeAttribute}]`)) {
  const plane = planes[Number(canvas.getAttribute(planeAttribute))];
  if (plane) drawPlane(canvas, plane, 520);
}

// What is folded away on the screen is part of the printed report.
const folded = [...document.querySelectorAll<HTMLDetailsElement>('details.opensForPrint')];
let closed: HTMLDetailsElement[] = [];
addEventListener('beforeprint', () => {
  closed = folded.filter(({ open }) => !open);
  for (const details of closed) details.open = true;
});
addEventListener('afterprint', () => {
  for (const details of closed) details.open = false;
});

declare global {
  // The editor's page sets it (extension/report/reportPage.ts).
  var unimissCases: EditorCases | undefined;
}
if (globalThis.unimissCases) offerCases(globalThis.unimissCases);
