import type { RunFolder } from '../../runs/folder/runFolder.ts';
import { RecordFeed } from './recordFeed.ts';

/** Largest number of unread feeds that are kept for the next reader. */
const KEPT = 3;

/** The records of runs with readers: each run is read once, however many readers it has. */
export class Feeds {
  private readonly feeds = new Map<string, { feed: RecordFeed; readers: number }>();

  /** The feed of a run; its reader must release it. */
  open(run: RunFolder): { feed: RecordFeed; release(): void } {
    const entry = this.feeds.get(run.folder) ?? { feed: new RecordFeed(run.recordsFile), readers: 0 };
    // The map ends with the feeds that were opened last.
    this.feeds.delete(run.folder);
    this.feeds.set(run.folder, entry);
    entry.readers++;
    let open = true;
    return {
      feed: entry.feed,
      release: () => {
        if (open) entry.readers--;
        open = false;
        this.tidy();
      },
    };
  }

  private tidy(): void {
    const unread = [...this.feeds].filter(([, { readers }]) => readers === 0);
    for (const [folder] of unread.slice(0, Math.max(0, unread.length - KEPT))) this.feeds.delete(folder);
  }
}
