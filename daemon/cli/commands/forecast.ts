import type { ResolvedConfig } from '../../../protocol/config/index.ts';
import { concernText, forecastRows } from '../../../protocol/runs/forecastText.ts';
import { thousands } from '../../../protocol/words.ts';
import type { Task } from '../../runs/start/task.ts';
import { exitCodes } from '../terminal/exitCodes.ts';
import { onInterrupt } from '../terminal/interrupt.ts';
import type { Reporter } from '../terminal/reporter.ts';

/** So many images are looked at before anyone could read a progress line. */
const fewImages = 500;

/** `--dry-run`: says what a run would do on this machine, and what looks wrong. The exit code is that of the first error. */
export async function showForecast(
  { config }: { readonly config: ResolvedConfig },
  { root, tasks, reporter }: { readonly root: string; readonly tasks: readonly Task[]; readonly reporter: Reporter },
): Promise<void> {
  const { forecastOf } = await import('../../runs/forecast/forecastOf.ts');
  const cancel = new AbortController();
  const interrupt = onInterrupt(
    () => cancel.abort(),
    () => 'Ended at once.',
  );
  const onProgress = (done: number, total: number) => {
    if (total > fewImages) reporter.progress(`Looking at the images: ${thousands(done)} of ${thousands(total)}`);
  };
  try {
    const forecast = await forecastOf(config, { root, tasks, signal: cancel.signal, onProgress });
    reporter.line(`A run of the kind "${config.task}", named "${config.name}". Nothing was started.`);
    const rows = forecastRows(forecast);
    const width = Math.max(...rows.map(([heading]) => heading.length));
    for (const [heading, text] of rows)
      reporter.line(`  ${heading.padEnd(width)}  ${text.replaceAll('\n', `\n  ${' '.repeat(width)}  `)}`);
    for (const notice of forecast.notices) reporter.notice(notice);
    for (const concern of forecast.concerns)
      if (concern.severity === 'error') reporter.notice(concernText(concern));
      else reporter.paragraph(concernText(concern));
    reporter.record({ ...forecast, config });
    const error = forecast.concerns.find(({ severity }) => severity === 'error');
    if (error) process.exitCode = exitCodes[error.code ?? 'internal'].code;
  } finally {
    interrupt.dispose();
  }
}
