import { l10n } from 'vscode';
import { setField } from '../../../protocol/config/makeConfig.ts';
import type { Forecast } from '../../../protocol/runs/forecast.ts';
import { roughDuration, thousands } from '../../../protocol/words.ts';

/** The time that a run may take; undefined: as long as the usual number of epochs needs. */
export interface Budget {
  readonly hours: number | undefined;
}

/** Epochs of 2D and 3D that belong together: two of each. */
const cycle = 4;
const mostEpochs = 100_000;

/** Whole cycles of epochs that a run manages in a time; undefined if nothing is known of its duration. */
export function epochsWithin({ epochs, time }: Pick<Forecast, 'epochs' | 'time'>, hours: number): number | undefined {
  if (!time || time.seconds <= 0 || epochs <= 0) return undefined;
  const possible = (hours * 3600 * epochs) / time.seconds;
  return Math.min(mostEpochs, Math.max(cycle, Math.floor(possible / cycle) * cycle));
}

/**
 * The text of a pre-training with as many epochs as a budget allows.
 * @param forecast what the run of `text` would do
 * @returns the text, and why it has its number of epochs
 */
export function withBudget(text: string, forecast: Forecast, { hours }: Budget): { text: string; why: string } {
  if (hours === undefined)
    return { text, why: l10n.t('It has the usual number of epochs: {0}.', thousands(forecast.epochs)) };
  const asked = roughDuration(3600 * hours);
  const epochs = epochsWithin(forecast, hours);
  if (epochs === undefined)
    return {
      text,
      why: l10n.t('How many epochs fit into {0} is not known before a run has measured a step on this device.', asked),
    };
  return {
    text: setField(text, ['train', 'epochs'], epochs),
    why: l10n.t(
      '{0} epochs fit into {1} on {2} ({3}).',
      thousands(epochs),
      asked,
      forecast.device,
      forecast.time?.basis ?? '',
    ),
  };
}

/** A new configuration with a note behind its first line. */
export function withNote(text: string, lines: readonly string[]): string {
  const [first = '', ...others] = text.split('\n');
  return [first, ...lines.map((line) => `// ${line.replace(/\s+/g, ' ')}`), ...others].join('\n');
}

/** What a user may write as hours: above 0, at most 10,000. @returns what is wrong, undefined if nothing is */
export function wrongHours(text: string): string | undefined {
  const hours = Number(text.replace(',', '.'));
  return text.trim() !== '' && hours > 0 && hours <= 10_000 ? undefined : l10n.t('Enter a number of hours above 0.');
}
