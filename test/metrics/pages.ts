/** Pages and snapshots as the daemon makes them, for tests of the component; webviews themselves never import the daemon. */
export { snapshotOf, writeReport } from '../../daemon/evaluate/report/report.ts';
