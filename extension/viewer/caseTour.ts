import type { ViewableCase } from '../../protocol/evaluation/viewableCases.ts';
import type { ShownCase } from '../../protocol/viewer/page.ts';
import type { ImageDocument } from './imageDocument.ts';

/** The cases of an evaluation, the worst first, and one of them. */
export class CaseTour {
  constructor(
    readonly title: string,
    readonly cases: readonly ViewableCase[],
    readonly index: number,
  ) {}

  /** undefined: there is none further on. */
  step(by: number): CaseTour | undefined {
    const index = this.index + by;
    return this.cases[index] && new CaseTour(this.title, this.cases, index);
  }

  get current(): ViewableCase | undefined {
    return this.cases[this.index];
  }
}

/** Draws reference and prediction of a case over its image. Of overlapping classes, the pair with the most errors in a slice is compared. */
export async function shownCase(
  document: ImageDocument,
  { title, cases, index, current }: CaseTour,
): Promise<ShownCase> {
  let compared: ShownCase['compared'];
  for (const { class: name, reference, prediction } of current?.labels ?? []) {
    const of = name === null ? '' : ` of ${name}`;
    const is = await document.addLayer(reference, { added: false, title: `reference${of}` });
    const said = await document.addLayer(prediction, { added: false, title: `prediction${of}` });
    if (!is || !said) continue;
    const pair = { reference: is.layer, prediction: said.layer };
    const found = await document.ask('largestError', pair);
    if (found && found.errors > (compared?.errors ?? 0)) compared = { ...pair, ...found };
  }
  const { case: name = '', dice = null } = current ?? {};
  return { name, title, dice, rank: index + 1, count: cases.length, compared };
}
