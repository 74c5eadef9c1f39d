import { PatchMaker, type PatchMakerSetup } from './labelled/patchMaker.ts';
import type { ViewOptions } from './types.ts';
import { type SampleFile, ViewMaker } from './viewMaker.ts';

/** What a thread makes, and its options: plain data. */
export type MakerSetup =
  | { readonly kind: 'views'; readonly samples: readonly SampleFile[]; readonly options: ViewOptions }
  | PatchMakerSetup;

/** Makes the maker of a thread's setup. */
export function makerOf(setup: MakerSetup): ViewMaker | PatchMaker {
  return setup.kind === 'views' ? new ViewMaker(setup.samples, setup.options) : new PatchMaker(setup);
}
