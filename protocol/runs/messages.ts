import { z } from 'zod';
import { presetNames } from '../config/pretrain/presets.ts';
import { notification, request } from '../daemon/rpc.ts';
import { runInfoSchema, runRef } from './runInfo.ts';

const oneRun = { params: z.strictObject({ run: runRef }), result: runInfoSchema };

const runList = z.object({
  root: z.string().describe('The folder of runs, absolute.'),
  runs: z.array(runInfoSchema).describe('Newest first.'),
  problems: z
    .array(z.object({ folder: z.string(), message: z.string() }))
    .describe('Runs that cannot be read, and why.'),
});

export const runsList = request('unimiss/runs/list', 'All runs.', {
  params: z.strictObject({
    root: z.string().optional().describe("Another folder of runs, absolute; default: the daemon's."),
  }),
  result: runList,
});

export const runsWatch = request(
  'unimiss/runs/watch',
  'All runs, and from now on `unimiss/runs/changed` to this client until it unsubscribes.',
  { params: z.strictObject({}), result: runList.extend({ subscription: z.string() }) },
);

export const runsChanged = notification(
  'unimiss/runs/changed',
  'daemon',
  'Runs that are new or have changed, as they stand now; several changes come as one where a client is slow.',
  z.object({
    subscription: z.string(),
    runs: z.array(runInfoSchema),
    removed: z.array(z.string()).describe('Folders of runs that are gone.'),
  }),
);

export const runGet = request('unimiss/runs/get', 'One run.', oneRun);

/** From what a configuration is made where there is no file. */
export const foldersSchema = z.strictObject({
  folders: z.array(z.string().min(1)).min(1).max(100).describe('Absolute paths of folders with images.'),
  preset: z.enum(presetNames).default('tiny'),
  name: z.string().optional().describe('Name of the run; default: `pretrain`.'),
  device: z.enum(['cpu', 'cuda']).default('cpu'),
});

export const runCreate = request(
  'unimiss/runs/create',
  'Makes the folder of a run from a configuration, or from folders with images; starts it unless `start` is false.',
  {
    params: z.strictObject({
      from: z.union([
        z.strictObject({
          config: z
            .string()
            .max(1 << 20)
            .describe('Text of a *.unimiss.jsonc file.'),
          file: z
            .string()
            .describe('Absolute path of that file (it need not exist): relative paths start at its folder.'),
        }),
        foldersSchema,
      ]),
      root: z.string().optional().describe("Folder to make it in; default: the daemon's folder of runs."),
      start: z.boolean().default(true),
      wait: z.boolean().default(true).describe('Wait in the queue while another run uses the device.'),
    }),
    result: runInfoSchema,
  },
);

export const runStart = request(
  'unimiss/runs/start',
  'Starts a run, or resumes it from its last good checkpoint. It waits in the queue while another run uses its device, unless `wait` is false.',
  {
    params: z.strictObject({ run: runRef, wait: z.boolean().default(true) }),
    result: runInfoSchema,
  },
);
export const runPause = request(
  'unimiss/runs/pause',
  'Holds a run after the step that it is at; its memory stays taken.',
  oneRun,
);
export const runContinue = request('unimiss/runs/continue', 'Lets a paused run go on.', oneRun);
export const runStop = request(
  'unimiss/runs/stop',
  'Stops a run at the next step, with a checkpoint; takes it out of the queue. Answered when the stop is asked for, not when it is done.',
  oneRun,
);
export const runKill = request(
  'unimiss/runs/kill',
  'Ends the process of a run at once: it goes on from its last checkpoint when it is started again.',
  oneRun,
);
/** How long a deleted run stays in `.trash`, days. */
export const trashDays = 30;

export const runDelete = request(
  'unimiss/runs/delete',
  `Moves the folder of a run into \`.trash\` beside it, from where it can be moved back within ${trashDays} days; then it is removed. Refused while it is being trained.`,
  {
    params: z.strictObject({ run: runRef, confirm: z.literal(true).describe('That the user was asked.') }),
    result: z.object({ trash: z.string().describe('Where the folder is now, absolute.') }),
  },
);
