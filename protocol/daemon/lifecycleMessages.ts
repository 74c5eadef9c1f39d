import { z } from 'zod';
import { runRef } from '../runs/runInfo.ts';
import { notification, request } from './rpc.ts';

/** The version of this protocol. It rises when an older side would misread a changed message. */
export const protocolVersion = 2;
/** The oldest version that the daemon still speaks. */
export const oldestProtocolVersion = 2;

/** What a client sends in `initializationOptions`. */
export const clientOptionsSchema = z.object({
  protocol: z.int().min(1).describe('The protocol version of the client.'),
});

/** LSP's InitializeParams; fields that are not named here are ignored. */
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
    protocol: z.int().describe('The negotiated version: the lower of the two.'),
    pid: z.int(),
    runsRoot: z.string().describe('Absolute path of the folder of runs.'),
    control: z
      .int()
      .optional()
      .describe('The control protocol version of its trainers. Absent: the trainers of this daemon end with it.'),
  }),
});

const nothing = z.object({});
const anyParams = z.unknown();

export const initialize = request(
  'initialize',
  'Opens the session, as in LSP. The daemon rejects all other requests before it. It rejects clients of unsupported versions with code 1 and a remedy.',
  { params: initializeParams, result: initializeResult },
);
export const initialized = notification('initialized', 'client', 'The client is ready for notifications.', anyParams);
export const shutdown = request('shutdown', 'Ends the session: only `exit` may follow. Runs continue.', {
  params: anyParams,
  result: z.unknown(),
});
export const exit = notification(
  'exit',
  'client',
  'Closes the connection. The daemon and its runs continue.',
  anyParams,
);

export const progressNotification = notification(
  '$/progress',
  'daemon',
  'Progress of a request that has a `workDoneToken`.',
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

export const ping = request(
  'unimiss/ping',
  'Checks that the daemon, and the trainer of a run if given, still respond.',
  {
    params: z.strictObject({ run: runRef.optional().describe('A run that this daemon is training.') }),
    result: z.object({
      time: z.iso.datetime(),
      trainerMs: z.number().min(0).nullable().describe('Response time of its trainer, ms.'),
    }),
  },
);

export const daemonStatus = request('unimiss/daemon/status', 'Returns the state of the daemon.', {
  params: z.strictObject({}),
  result: z.object({
    pid: z.int(),
    version: z.string(),
    protocol: z.int(),
    started: z.iso.datetime(),
    socket: z.string().describe('Absolute path.'),
    log: z.string().nullable().describe('Absolute path of its log. null: it logs to standard error.'),
    runsRoot: z.string(),
    clients: z.int().min(0),
    training: z.int().min(0).describe('Number of runs with a trainer, including paused ones.'),
    queued: z.int().min(0),
    rssMiB: z.number().min(0),
    environment: z
      .record(z.string(), z.string())
      .describe(
        'Environment variables that affect runs, such as `UNIMISS_TENSORFLOW`, as the daemon was started with them.',
      ),
    retired: z
      .array(
        z.object({
          pid: z.int(),
          version: z.string(),
          socket: z.string().describe('Absolute path.'),
          runs: z.array(z.string()).describe('Folders of the runs that it is still training.'),
        }),
      )
      .default([])
      .describe('Earlier daemons that stay until their runs end, because this daemon cannot control their trainers.'),
    idleSeconds: z
      .number()
      .min(0)
      .nullable()
      .describe('The daemon exits after this time without clients and runs. null: never.'),
  }),
});

export const daemonStop = request(
  'unimiss/daemon/stop',
  'Stops the daemon. Its runs continue, and the next daemon takes over them and the queue. If `runs` is `stop`, they stop after their current step, with a checkpoint, and the queue is dropped. The answer comes before the daemon exits.',
  {
    params: z.strictObject({
      runs: z.enum(['leave', 'stop']).default('leave'),
      successor: z
        .int()
        .optional()
        .describe(
          'The control protocol version of the next daemon. If it differs, this daemon leaves its socket to the next one and stays until its runs end. Default: the same version.',
        ),
    }),
    result: z.object({
      stopping: z.int().min(0).describe('Number of runs that stop.'),
      leaving: z.int().min(0).default(0).describe('Number of runs that continue without the daemon.'),
      staying: z.int().min(0).default(0).describe('Number of runs for which the daemon stays until they end.'),
      waiting: z.int().min(0).default(0).describe('Number of queued runs that the next daemon queues again.'),
      forgotten: z.int().min(0).default(0).describe('Number of runs dropped from the queue.'),
    }),
  },
);

/**
 * The request by which a client asks a daemon of any version to make room for one of the client's version.
 * @param control what the daemon said about itself in the handshake
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
  'Ends a subscription of any kind. An unknown subscription is not an error.',
  {
    params: z.strictObject({ subscription: z.string() }),
    result: nothing,
  },
);
