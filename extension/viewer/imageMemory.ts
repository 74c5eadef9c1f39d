import type { ExtensionContext, Uri } from 'vscode';
import { z } from 'zod';
import { type ImageSettings, imageSettings } from '../../protocol/viewer/settings.ts';

const key = 'unimiss.viewer.images';
/** Images whose settings are kept: those opened last. */
const most = 200;
const kept = z.array(z.tuple([z.string(), imageSettings]));

/** How images were shown last, in this workspace. */
export class ImageMemory {
  constructor(private readonly context: Pick<ExtensionContext, 'workspaceState'>) {}

  get(uri: Uri): ImageSettings | undefined {
    return this.all().find(([name]) => name === uri.toString())?.[1];
  }

  async set(uri: Uri, settings: ImageSettings): Promise<void> {
    const name = uri.toString();
    const others = this.all().filter(([one]) => one !== name);
    await this.context.workspaceState.update(key, [[name, settings], ...others].slice(0, most));
  }

  /** What another version of the extension kept, and this one does not understand, is forgotten. */
  private all(): z.infer<typeof kept> {
    return kept.safeParse(this.context.workspaceState.get(key)).data ?? [];
  }
}
