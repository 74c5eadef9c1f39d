import * as report from '../../daemon/evaluate/report/report.ts';
import { type Series, seriesOf } from '../../protocol/records/series.ts';

/** Pages and snapshots as the daemon makes them, for tests of the component; webviews themselves never import the daemon. */

type Content = Omit<report.ReportContent, 'runs'> & {
  runs: (Omit<report.ReportRun, 'series'> & { series?: readonly Series[] })[];
};

const withSeries = (content: Content): report.ReportContent => ({
  ...content,
  runs: content.runs.map((run) => ({ series: seriesOf.pretrain, ...run })),
});

export const snapshotOf = (content: Content) => report.snapshotOf(withSeries(content));
export const writeReport = (file: string, content: Content) => report.writeReport(file, withSeries(content));
