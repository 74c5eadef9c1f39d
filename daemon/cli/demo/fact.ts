import type { SummaryFact } from '../../../protocol/metrics/page.ts';

/** A result of the demo. */
export interface Fact extends SummaryFact {
  readonly key: 'loss' | 'probe' | 'speed' | 'memory' | 'time' | 'finetuned';
}
