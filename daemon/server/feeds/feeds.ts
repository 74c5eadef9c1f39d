import type { RunFolder } from '../../runs/folder/runFolder.ts';
import { RecordFeed } from './recordFeed.ts';

/** Feeds that nobody reads are kept for whoever comes next, so many at most. */
const KEPT = 3;

/** The records of runs that somebody looks at: each is read once, however many look. */
export class Feeds {
  private readonly feeds = new Map<string, { feed: RecordFeed; readers: number }>();

  /** The feed of a run; to be released by its reader. */
  open(run: RunFolder): { feed: RecordFeed; release(): void } {
    const entry = this.feeds.get(run.folder) ?? { feed: new RecordFeed(run.recordsFile), readers: 0 };
    // At the end of the map are those that were opened last.
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
