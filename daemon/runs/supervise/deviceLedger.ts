import { UnimissError } from '../../../protocol/errors.ts';
import type { WhenBusy } from '../../../protocol/jobs/jobRequest.ts';

export interface ClaimRequest {
  /** `cpu`, `cuda:0`, …; several are given together or not at all. */
  devices: readonly string[];
  /** What wants them, for people: the name of a run, `embed of RUN`. */
  who: string;
  whenBusy: WhenBusy;
  /** A claim that waited has its devices now. */
  onHeld?(): void;
  /** The claim still waits, but its place or what it waits for has changed. */
  onMoved?(): void;
}

/** What a run or a job has asked of the ledger. Ends with `release`, whether it holds its devices or still waits. */
export interface Claim {
  readonly who: string;
  readonly held: boolean;
  /** Its place among the claims that wait for one of its devices, from 1; null: it does not wait. */
  readonly place: number | null;
  /** What uses its devices now, other than itself. */
  readonly inUseBy: readonly string[];
  /** A second call does nothing. */
  release(): void;
}

interface Entry {
  request: ClaimRequest;
  held: boolean;
}

/**
 * Says which device is used by whom. Runs and jobs ask here before they start, so that none competes with another unless
 * its user asked for that (`share`). Claims are served in the order in which they came, each as soon as all its devices are free and
 * nothing that came earlier waits for one of them.
 */
export class DeviceLedger {
  /** In the order in which they came. */
  private readonly entries = new Set<Entry>();

  /** @param perDevice how many claims may hold one device at once */
  constructor(private readonly perDevice = 1) {}

  /**
   * Asks for devices. The claim holds them at once where they are free; `onHeld` tells of a later moment only.
   * @throws UnimissError 'run' that names the user of a busy device, with `refuse`
   */
  claim(request: ClaimRequest): Claim {
    const entry: Entry = { request, held: false };
    this.entries.add(entry);
    entry.held = request.whenBusy === 'share' || this.isNext(entry);
    if (!entry.held && request.whenBusy === 'refuse') {
      this.entries.delete(entry);
      throw isBusy(request, this.usersOf(entry));
    }
    if (entry.held) this.tellMoved(request.devices);
    return this.claimOf(entry);
  }

  /** As `claim`, for what was started before this ledger: the devices are in use, whoever holds them as well. */
  note(devices: readonly string[], who: string): Claim {
    return this.claim({ devices, who, whenBusy: 'share' });
  }

  /**
   * Resolves when the devices are held.
   * @param onWaiting called each time that what is waited for has changed, with the names of the users (none: others wait in front)
   * @throws UnimissError 'run' as `claim`; 'interrupted' where `signal` is aborted before
   */
  async take(
    { devices, who, whenBusy }: Pick<ClaimRequest, 'devices' | 'who' | 'whenBusy'>,
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
      get inUseBy() {
        return ledger.usersOf(entry);
      },
      release: () => this.release(entry),
    };
  }

  private release(entry: Entry): void {
    if (!this.entries.delete(entry)) return;
    for (const next of [...this.entries]) {
      if (next.held || !this.entries.has(next) || !this.isNext(next)) continue;
      next.held = true;
      next.request.onHeld?.();
    }
    this.tellMoved(entry.request.devices);
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
