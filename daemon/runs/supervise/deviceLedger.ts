import { UnimissError } from '../../../protocol/errors.ts';
import type { WhenBusy } from '../../../protocol/jobs/jobRequest.ts';

export interface ClaimRequest {
  /** `cpu`, `cuda:0`, …; several are granted together or not at all. */
  devices: readonly string[];
  /** The claimant, for people: the name of a run, `embed of RUN`. */
  who: string;
  whenBusy: WhenBusy;
  /** Key of the idle work that it goes on with, which is not ended for it. */
  reuses?: string;
  /** Called when a waiting claim gets its devices. */
  onHeld?(): void;
  /** Called when the place of a waiting claim, or what it waits for, changes. */
  onMoved?(): void;
}

/** A claim of a run or a job. Ends with `release`, whether it holds its devices or still waits. */
export interface Claim {
  readonly who: string;
  readonly held: boolean;
  /** Its place among the claims that wait for any of its devices, from 1; null: it does not wait. */
  readonly place: number | null;
  /** Its rank among all claims of the ledger, from 0: earlier ones are served first. -1: it was released. */
  readonly rank: number;
  /** The other present users of its devices. */
  readonly inUseBy: readonly string[];
  /**
   * Gives a waiting claim another place among the claims that wait for any of its devices: 1 is next. A place behind the last is
   * the last. Does nothing for a claim that does not wait.
   */
  moveTo(place: number): void;
  /** A second call does nothing. */
  release(): void;
}

interface Entry {
  request: ClaimRequest;
  held: boolean;
}

/** Work that has nothing to do, and still occupies the memory of devices. */
interface Idle {
  devices: readonly string[];
  key: string;
  end(): void;
}

/**
 * Knows the users of each device. Runs and jobs ask it before they start, so that none competes with another unless its user
 * asked for that (`share`). It serves claims in order of arrival, unless one is moved (`moveTo`), each as soon as all its devices
 * are free and no earlier claim waits for one of them.
 */
export class DeviceLedger {
  /** In the order in which they are served. */
  private readonly entries = new Set<Entry>();
  private readonly idle = new Set<Idle>();

  /** @param perDevice how many claims may hold one device at once */
  constructor(private readonly perDevice = 1) {}

  /**
   * Claims devices. If they are free, the claim holds them at once; `onHeld` is called only for a later moment.
   * @throws UnimissError 'run', which names the user of a busy device, with `refuse`
   */
  claim(request: ClaimRequest): Claim {
    const entry: Entry = { request, held: false };
    for (const idle of [...this.idle]) if (isInTheWay(idle, request) && this.idle.delete(idle)) idle.end();
    this.entries.add(entry);
    entry.held = request.whenBusy === 'share' || this.isNext(entry);
    if (!entry.held && request.whenBusy === 'refuse') {
      this.entries.delete(entry);
      throw isBusy(request, this.usersOf(entry));
    }
    if (entry.held) this.tellMoved(request.devices);
    return this.claimOf(entry);
  }

  /**
   * As `claim`, for work that was started before this ledger: the devices count as in use, even if another claim holds them too.
   */
  note(devices: readonly string[], who: string): Claim {
    return this.claim({ devices, who, whenBusy: 'share' });
  }

  /**
   * Lets work that has nothing to do keep its memory on devices until anyone claims one of them; if others have or want one
   * already, it ends at once. It is no user of the device: no claim waits for it.
   * @param key of the work; claims that go on with it (`reuses`) do not end it
   * @returns a function that takes the work back
   */
  lend(devices: readonly string[], key: string, end: () => void): () => void {
    const idle = { devices, key, end };
    if ([...this.entries].some(({ request }) => isInTheWay(idle, request))) end();
    else this.idle.add(idle);
    return () => this.idle.delete(idle);
  }

  /**
   * Resolves when the devices are held.
   * @param onWaiting called whenever what the claim waits for changes, with the names of the users (none: earlier claims wait)
   * @throws UnimissError 'run' as `claim` does; 'interrupted' if `signal` is aborted first
   */
  async take(
    { devices, who, whenBusy, reuses }: Pick<ClaimRequest, 'devices' | 'who' | 'whenBusy' | 'reuses'>,
    { signal, onWaiting }: { signal: AbortSignal; onWaiting?(inUseBy: readonly string[]): void },
  ): Promise<{ release(): void }> {
    if (signal.aborted) throw interrupted(who);
    return new Promise((resolve, reject) => {
      const abort = () => {
        claim.release();
        reject(interrupted(who));
      };
      const claim = this.claim({
        devices,
        who,
        whenBusy,
        ...(reuses !== undefined && { reuses }),
        onHeld: () => {
          signal.removeEventListener('abort', abort);
          resolve(claim);
        },
        onMoved: () => onWaiting?.(claim.inUseBy),
      });
      if (claim.held) return resolve(claim);
      signal.addEventListener('abort', abort, { once: true });
      onWaiting?.(claim.inUseBy);
    });
  }

  private claimOf(entry: Entry): Claim {
    const ledger = this;
    return {
      who: entry.request.who,
      get held() {
        return entry.held;
      },
      get place() {
        if (entry.held || !ledger.entries.has(entry)) return null;
        return ledger.waitingBefore(entry).length + 1;
      },
      get rank() {
        return [...ledger.entries].indexOf(entry);
      },
      get inUseBy() {
        return ledger.usersOf(entry);
      },
      moveTo: (place) => this.moveTo(entry, place),
      release: () => this.release(entry),
    };
  }

  private release(entry: Entry): void {
    if (!this.entries.delete(entry)) return;
    this.serve();
    this.tellMoved(entry.request.devices);
  }

  private moveTo(entry: Entry, place: number): void {
    if (entry.held || !this.entries.has(entry)) return;
    const others = [...this.entries].filter((other) => other !== entry);
    const waiting = others.filter((other) => !other.held && shares(other, entry.request.devices));
    const before = waiting[Math.max(1, place) - 1];
    const last = waiting.at(-1);
    if (!last) return;
    others.splice(before ? others.indexOf(before) : others.indexOf(last) + 1, 0, entry);
    this.entries.clear();
    for (const other of others) this.entries.add(other);
    // A device may be free that only the claim in front could not use yet.
    this.serve();
    this.tellMoved(entry.request.devices);
  }

  /** Grants their devices to all claims whose turn it is. */
  private serve(): void {
    for (const next of [...this.entries]) {
      if (next.held || !this.entries.has(next) || !this.isNext(next)) continue;
      next.held = true;
      next.request.onHeld?.();
    }
  }

  private tellMoved(devices: readonly string[]): void {
    for (const entry of [...this.entries]) if (!entry.held && shares(entry, devices)) entry.request.onMoved?.();
  }

  private isNext(entry: Entry): boolean {
    const { devices } = entry.request;
    return (
      this.waitingBefore(entry).length === 0 &&
      devices.every((device) => this.holdersOf(device).length < this.perDevice)
    );
  }

  private waitingBefore(entry: Entry): Entry[] {
    const all = [...this.entries];
    return all.slice(0, all.indexOf(entry)).filter((other) => !other.held && shares(other, entry.request.devices));
  }

  private holdersOf(device: string): Entry[] {
    return [...this.entries].filter((entry) => entry.held && entry.request.devices.includes(device));
  }

  private usersOf(entry: Entry): string[] {
    const holders = entry.request.devices.flatMap((device) => this.holdersOf(device));
    return [...new Set(holders)].filter((holder) => holder !== entry).map((holder) => holder.request.who);
  }
}

const isInTheWay = ({ devices, key }: Idle, request: ClaimRequest): boolean =>
  request.reuses !== key && devices.some((device) => request.devices.includes(device));

const shares = (entry: Entry, devices: readonly string[]): boolean =>
  entry.request.devices.some((device) => devices.includes(device));

function isBusy({ devices, who }: ClaimRequest, users: readonly string[]): UnimissError {
  const by = users.length > 0 ? `, in use by ${users.join(', ')}` : ': others are waiting for it';
  return new UnimissError('run', `${devices.join(', ')} is not free${by}`, {
    place: who,
    remedy: 'Wait for it (--wait), or share the device (--now), which slows down both.',
  });
}

const interrupted = (who: string): UnimissError =>
  new UnimissError('interrupted', 'cancelled while waiting for its device', { place: who });
