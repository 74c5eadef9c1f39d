import { metricsRead, metricsSubscribe, previewsList, previewsRead } from '../../../protocol/metrics/messages.ts';
import { logFollow, logRead } from '../../../protocol/runs/logMessages.ts';
import { downsample } from '../../evaluate/series/downsample.ts';
import type { RunFolder } from '../../runs/folder/runFolder.ts';
import { settingsOf } from '../../runs/folder/settings.ts';
import { readPreviews } from '../../runs/records/previewFiles.ts';
import { LogSubscription, tailOf } from '../feeds/logSubscription.ts';
import { MetricsSubscription, statusOf } from '../feeds/metricsSubscription.ts';
import type { RecordFeed } from '../feeds/recordFeed.ts';
import { wireTable } from '../feeds/wireTable.ts';
import { type Handler, handle } from '../wire/handler.ts';
import type { Services } from './services.ts';

/** Requests that read runs: curves, previews, logs. */
export function metricsHandlers(services: Services): Handler[] {
  const { registry, feeds } = services;
  return [
    handle(metricsSubscribe, async (params, { subscribe, send }) => ({
      subscription: await subscribe((id, failed) => MetricsSubscription.open(id, params, services, send, failed)),
    })),
    handle(metricsRead, async ({ run: ref, fromStep, toStep, most }) => {
      const run = await registry.find(ref);
      const info = await registry.info(run);
      return withFeed(run, (feed) => {
        const { events, epochs } = feed.after(0);
        const last = toStep ?? Number.MAX_SAFE_INTEGER - 1;
        const inRange = events.filter(({ step }) => step >= fromStep && step <= last).slice(-1000);
        const steps = wireTable(downsample(feed.between(fromStep, last), most));
        const metrics = {
          id: ref,
          name: info.name,
          ...statusOf(info),
          series: services.seriesOf(run),
          settings: settingsOf(run),
          steps,
          epochs: wireTable(downsample(epochs, most)),
          events: inRange,
          previews: [],
        };
        return {
          message: { type: 'snapshot' as const, sequence: 0, title: info.name, summary: [], runs: [metrics] },
          position: feed.position,
        };
      });
    }),
    handle(previewsList, async ({ run }) =>
      withFeed(await registry.find(run), (feed) => ({ previews: feed.after(0).previews })),
    ),
    handle(previewsRead, async ({ run, names }) => {
      const data = await readPreviews(await registry.find(run), names);
      return { images: names.map((name, i) => ({ name, data: data[i]! })) };
    }),
    handle(logRead, async ({ run, lines }) => tailOf((await registry.find(run)).logFile, lines)),
    handle(logFollow, async ({ run: ref, lines, after }, { subscribe, send }) => {
      const run = await registry.find(ref);
      const { text, offset } = after === undefined ? await tailOf(run.logFile, lines) : { text: '', offset: after };
      const begin = offset - Buffer.byteLength(text);
      return { subscription: await subscribe((id, failed) => new LogSubscription(id, run, begin, send, failed)) };
    }),
  ];

  async function withFeed<R>(run: RunFolder, use: (feed: RecordFeed) => R): Promise<R> {
    const { feed, release } = feeds.open(run);
    try {
      await feed.refresh();
      return use(feed);
    } finally {
      release();
    }
  }
}
