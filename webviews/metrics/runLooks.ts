import type { Modality } from '../../protocol/modality.ts';
import type { RunLook } from './runTable.ts';
import { runDashes } from './swatch.ts';
import { runColors, type Theme } from './theme.ts';

/** How curves are drawn: a run keeps its place in the palette while it exists. */
export class RunLooks {
  private readonly places = new Map<string, number>();

  /** Several runs are compared: they differ by colour and dash. */
  comparing = false;
  theme: Theme | undefined;

  /** Gives each run a place, that of a run which is gone first. @param ids all runs that there are */
  place(ids: readonly string[]): void {
    for (const id of ids) {
      if (this.places.has(id)) continue;
      const taken = new Set([...this.places].filter(([one]) => ids.includes(one)).map(([, place]) => place));
      const free = Array.from({ length: runColors }, (_, i) => i).find((i) => !taken.has(i));
      this.places.set(id, free ?? this.places.size % runColors);
    }
  }

  /** 3D beside 2D in one chart is dashed, and thin where dashes are those of runs. */
  of(id: string, modality?: Modality): RunLook & { thin: boolean } {
    const place = this.places.get(id) ?? 0;
    const color = this.theme?.runs[place] ?? '';
    if (!this.comparing) return { color, dash: modality === '3D' ? [5, 3] : undefined, thin: false };
    return { color, dash: runDashes[place], thin: modality === '3D' };
  }

  /** A member of a family, by its place among them; in a comparison, dashes are those of runs. */
  ofMember(place: number, ofRun: readonly number[] | undefined): RunLook {
    const color = this.theme?.runs[place % runColors] ?? '';
    return { color, dash: this.comparing ? ofRun : runDashes[Math.floor(place / runColors) % runDashes.length] };
  }
}
