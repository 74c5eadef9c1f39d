import * as config from '../config/messages.ts';
import { dataPlan } from '../config/planMessages.ts';
import { imageAsk, imageOpen, imageReading } from '../files/imageMessages.ts';
import { filesList, filesOpen, filesRead, filesStat } from '../files/messages.ts';
import { jobNames, jobTypes } from '../jobs/jobs.ts';
import * as language from '../language/messages.ts';
import { machineStatus } from '../machines/messages.ts';
import * as metrics from '../metrics/messages.ts';
import * as records from '../records/messages.ts';
import { checkpointPin, checkpointsRemove } from '../runs/checkpointMessages.ts';
import { runDetails, runExport, runImage, runReport } from '../runs/detailsMessages.ts';
import { runForecast } from '../runs/forecast.ts';
import * as logs from '../runs/logMessages.ts';
import * as runs from '../runs/messages.ts';
import { runViews } from '../runs/viewsMessages.ts';
import * as engine from './engineMessages.ts';
import * as lifecycle from './lifecycleMessages.ts';
import type { MessageType } from './rpc.ts';

/**
 * All messages between clients and the daemon, declared once: JSON-RPC 2.0 in the framing of LSP (`Content-Length: …`), over a
 * Unix socket or the standard streams of `unimiss connect`. Each declaration is a typed constant with the zod schemas of params
 * and result; both ends check messages by it (rpc.ts). `npm run docs` writes the reference, docs/protocol.md, from the
 * declarations.
 */
export * from '../config/messages.ts';
export * from '../config/planMessages.ts';
export * from '../files/imageMessages.ts';
export * from '../files/messages.ts';
export * from '../jobs/embedMessages.ts';
export * from '../jobs/evaluateMessages.ts';
export * from '../jobs/lookMessages.ts';
export * from '../jobs/predictMessages.ts';
export * from '../language/messages.ts';
export * from '../machines/messages.ts';
export * from '../metrics/messages.ts';
export * from '../records/messages.ts';
export * from '../runs/checkpointMessages.ts';
export * from '../runs/detailsMessages.ts';
export * from '../runs/forecast.ts';
export * from '../runs/logMessages.ts';
export * from '../runs/messages.ts';
export * from '../runs/viewsMessages.ts';
export * from './engineMessages.ts';
export * from './lifecycleMessages.ts';

/** If a frame's header announces more, the frame is refused before a byte of it is kept, and the connection closes. */
export const largestMessageBytes = 16 * 2 ** 20;

const { initialize, initialized, shutdown, exit, progressNotification, ping, daemonStatus, daemonStop, unsubscribe } =
  lifecycle;
const { runsList, runsWatch, runsChanged, runGet, runCreate, runStart } = runs;
const { runPause, runContinue, runStop, runMove, runRename, runKill, runDelete } = runs;
const { metricsSubscribe, metricsUpdate, metricsRead, previewsList, previewsRead } = metrics;

/** All declarations by topic, in the order of the reference. */
export const messagesByTopic: readonly { topic: string; messages: readonly MessageType[] }[] = [
  { topic: 'Conversation', messages: [initialize, initialized, shutdown, exit, progressNotification, unsubscribe] },
  { topic: 'Daemon', messages: [ping, daemonStatus, daemonStop, machineStatus] },
  {
    topic: 'Runs',
    messages: [
      ...[runsList, runsWatch, runsChanged, runGet, runForecast, runCreate, runStart],
      ...[runPause, runContinue, runStop, runMove, runRename, runKill, runDelete],
      ...[runDetails, runImage, runViews, runReport, runExport, checkpointPin, checkpointsRemove],
    ],
  },
  {
    topic: 'Metrics and previews',
    messages: [metricsSubscribe, metricsUpdate, metricsRead, previewsList, previewsRead],
  },
  { topic: 'Records', messages: [records.recordsRead] },
  { topic: 'Jobs', messages: jobNames.map((name) => jobTypes[name].request) },
  { topic: 'Logs', messages: [logs.logRead, logs.logFollow, logs.logAppended] },
  { topic: 'Configuration', messages: [config.configCheck, config.configMake, dataPlan] },
  {
    topic: 'Help in editors',
    messages: [
      ...[language.didOpen, language.didChange, language.didSave, language.didClose, language.publishDiagnostics],
      ...[language.completion, language.hover, language.codeAction, language.codeLens, language.codeLensResolve],
      ...[language.documentLink, language.inlayHint, language.executeCommand],
    ],
  },
  {
    topic: 'Files for clients on other machines',
    messages: [filesOpen, filesStat, filesList, filesRead, imageOpen, imageAsk, imageReading],
  },
  {
    topic: 'Engine',
    messages: [engine.engineInfoRequest, engine.engineDoctor, engine.engineWheels, engine.engineInstall],
  },
];
