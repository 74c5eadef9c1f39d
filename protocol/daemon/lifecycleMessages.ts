import { z } from 'zod';
import { runRef } from '../runs/runInfo.ts';
import { notification, request } from './rpc.ts';

/** The version of this protocol: it rises when a message changes so that an older side would misread it. */
export const protocolVersion = 2;
/** The oldest version that the daemon still speaks. */
export const oldestProtocolVersion = 2;

/** What a client gives in `initializationOptions`. */
export const clientOptionsSchema = z.object({
  protocol: z.int().min(1).describe('The version of the protocol that the client speaks.'),
});

/** LSP's InitializeParams; all but what is named here is read over. */
const initializeParams = z.looseObject({
  processId: z.int().nullish(),
  clientInfo: z.looseObject({ name: z.string(), version: z.string().optional() }).nullish(),
  capabilities: z.looseObject({}).default({}),
  initializationOptions: z.unknown().optional().describe('`{ "protocol": 1 }`'),
});

const initializeResult = z.looseObject({
  capabilities: z.looseObject({}),
  serverInfo: z.object({ name: z.string(), version: z.string() }),
  unimiss: z.object({
    protocol: z.int().describe('The version that is spoken from now on: the lower of the two.'),
    pid: z.int(),
    runsRoot: z.string().describe('Absolute path of the folder of runs.'),
    control: z
      .int()
      .optional()
      .describe(
        'The version of the control protocol of its trainers. A daemon that says none has trainers that end with it.',
      ),
  }),
});

const nothing = z.object({});
const anyParams = z.unknown();

export const initialize = request(
  'initialize',
  'Opens the conversation, as in LSP; nothing else is answered before. A client of a version that the daemon does not speak is refused with code 1 and a remedy.',
  { params: initializeParams, result: initializeResult },
);
export const initialized = notification('initialized', 'client', 'The client is ready for notifications.', anyParams);
export const shutdown = request('shutdown', 'Ends the conversation: only `exit` may follow. Runs go on.', {
  params: anyParams,
  result: z.unknown(),
});
export const exit = notification('exit', 'client', 'Closes the connection. The daemon and its runs go on.', anyParams);

export const progressNotification = notification(
  '$/progress',
  'daemon',
  'Progress of a request that was given a `workDoneToken`.',
  z.object({
    token: z.union([z.string(), z.int()]),
    value: z.discriminatedUnion('kind', [
      z.object({
        kind: z.literal('begin'),
        title: z.string(),
        cancellable: z.boolean().optional(),
        message: z.string().optional(),
        percentage: z.number().optional(),
      }),
      z.object({
        kind: z.literal('report'),
        message: z.string().optional(),
        percentage: z.number().min(0).max(100).optional(),
      }),
      z.object({ kind: z.literal('end'), message: z.string().optional() }),
    ]),
  }),
);

export const ping = request('unimiss/ping', 'Whether the daemon, and the trainer of a run, still answer.', {
  params: z.strictObject({ run: runRef.optional().describe('A run that is being trained by this daemon.') }),
  result: z.object({
    time: z.iso.datetime(),
    trainerMs: z.number().min(0).nullable().describe('How long its trainer took to answer, ms.'),
  }),
});

export const daemonStatus = request('unimiss/daemon/status', 'What the daemon is and does.', {
  params: z.strictObject({}),
  result: z.object({
    pid: z.int(),
    version: z.string(),
    protocol: z.int(),
    started: z.iso.datetime(),
    socket: z.string().describe('Absolute path.'),
    log: z.string().nullable().describe('Absolute path of its log; null: standard error.'),
    runsRoot: z.string(),
    clients: z.int().min(0),
    training: z.int().min(0).describe('Runs with a trainer, paused ones included.'),
    queued: z.int().min(0),
    rssMiB: z.number().min(0),
    environment: z
      .record(z.string(), z.string())
      .describe('Variables that it was started with and that runs depend on, as `UNIMISS_TENSORFLOW`.'),
    retired: z
      .array(
        z.object({
          pid: z.int(),
          version: z.string(),
          socket: z.string().describe('Absolute path.'),
          runs: z.array(z.string()).describe('Folders of the runs that it still trains.'),
        }),
      )
      .default([])
      .describe(
        'Earlier daemons that stay until their runs have ended, since their trainers cannot be steered from here.',
      ),
    idleSeconds: z.number().min(0).nullable().describe('It ends after so long without client and run; null: never.'),
  }),
});

export const daemonStop = request(
  'unimiss/daemon/stop',
  'Ends the daemon and forgets its queue. Its runs go on, and the next daemon takes them over, unless `runs` is `stop`: then they stop at the next step with a checkpoint. Answered before it ends.',
  {
    params: z.strictObject({
      runs: z.enum(['leave', 'stop']).default('leave'),
      successor: z
        .int()
        .optional()
        .describe(
          'The version of the control protocol that the next daemon speaks. Where that is another, this daemon leaves its socket to the next one and stays until its runs have ended. Default: the same.',
        ),
    }),
    result: z.object({
      stopping: z.int().min(0).describe('Runs that are stopped.'),
      leaving: z.int().min(0).default(0).describe('Runs that go on without it.'),
      staying: z.int().min(0).default(0).describe('Runs for which it stays until they have ended.'),
      forgotten: z.int().min(0).default(0).describe('Runs that waited in the queue.'),
    }),
  },
);

/**
 * How a client asks a daemon of any version to make room for one of the client's own.
 * @param control what the daemon said of itself in the handshake
 */
export function stopParams(
  control: number | undefined,
  successor: number,
  runs: 'leave' | 'stop' = 'leave',
): z.input<typeof daemonStop.params> {
  return control === undefined ? {} : { runs, successor };
}

export const unsubscribe = request(
  'unimiss/unsubscribe',
  'Ends a subscription of any kind; an unknown one is no error.',
  {
    params: z.strictObject({ subscription: z.string() }),
    result: nothing,
  },
);
