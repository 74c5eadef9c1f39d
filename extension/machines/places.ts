import type { ExtensionContext } from 'vscode';
import { z } from 'zod';

const key = 'unimiss.placesThere';
const kept = z.record(z.string(), z.array(z.string()));
/** Of each machine. */
const most = 20;

/** Files and folders of other machines that the user named, the last one first. */
export class Places {
  constructor(private readonly extension: Pick<ExtensionContext, 'globalState'>) {}

  of(host: string): readonly string[] {
    return this.all()[host] ?? [];
  }

  add(host: string, path: string): void {
    const others = this.of(host).filter((one) => one !== path);
    void this.extension.globalState.update(key, { ...this.all(), [host]: [path, ...others].slice(0, most) });
  }

  /** What another version kept, and this one does not understand, is forgotten. */
  private all(): Record<string, string[]> {
    return kept.safeParse(this.extension.globalState.get(key)).data ?? {};
  }
}
