import type { DeviceLedger } from '../supervise/deviceLedger.ts';
import type { JobProcess } from './jobProcess.ts';

interface Kept {
  readonly process: JobProcess;
  /** It is not kept any longer; it goes on. */
  release(): void;
}

/**
 * Processes that have done their job and stay for a while, with their network loaded: the next job of the same network starts at
 * once. They hold no device in the ledger; as soon as a run or another job wants theirs, they end.
 */
export class KeptJobs {
  private readonly kept = new Map<string, Kept>();

  constructor(private readonly ledger: DeviceLedger) {}

  /** The process that is kept under a key; it is the caller's then. */
  take(key: string): JobProcess | undefined {
    const kept = this.kept.get(key);
    kept?.release();
    return kept?.process.alive ? kept.process : undefined;
  }

  /** Keeps a process for some time, ms. One that was kept under this key ends. */
  keep(key: string, process: JobProcess, devices: readonly string[], ms: number): void {
    this.take(key)?.end();
    const end = () => {
      release();
      process.end();
    };
    const timer = setTimeout(end, ms).unref();
    const release = () => {
      clearTimeout(timer);
      takeBack();
      if (this.kept.get(key)?.process === process) this.kept.delete(key);
    };
    let takeBack: () => void = () => {};
    this.kept.set(key, { process, release });
    takeBack = this.ledger.lend(devices, key, end);
    void process.ended.then(release);
  }
}
