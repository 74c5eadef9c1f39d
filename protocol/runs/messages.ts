import { z } from 'zod';
import { engineDevices } from '../config/devices.ts';
import { presetNames } from '../config/pretrain/presets.ts';
import { notification, request } from '../daemon/rpc.ts';
import { runInfoSchema, runRef } from './runInfo.ts';

const oneRun = { params: z.strictObject({ run: runRef }), result: runInfoSchema };

const runList = z.object({
  root: z.string().describe('Absolute path of the folder of runs.'),
  runs: z.array(runInfoSchema).describe('Newest first.'),
  problems: z
    .array(z.object({ folder: z.string(), message: z.string() }))
    .describe('Unreadable runs, with the reason.'),
});

export const runsList = request('unimiss/runs/list', 'Lists all runs.', {
  params: z.strictObject({
    root: z.string().optional().describe("Absolute path of another folder of runs. Default: the daemon's folder."),
  }),
  result: runList,
});

export const runsWatch = request(
  'unimiss/runs/watch',
  'Lists all runs and sends `unimiss/runs/changed` to this client until it unsubscribes.',
  { params: z.strictObject({}), result: runList.extend({ subscription: z.string() }) },
);

export const runsChanged = notification(
  'unimiss/runs/changed',
  'daemon',
  'Current state of new and changed runs. A slow client gets several changes as one.',
  z.object({
    subscription: z.string(),
    runs: z.array(runInfoSchema),
    removed: z.array(z.string()).describe('Folders of removed runs.'),
  }),
);

export const runGet = request('unimiss/runs/get', 'Returns one run.', oneRun);

/** What a configuration is made from if there is no file. */
export const foldersSchema = z.strictObject({
  task: z
    .string()
    .optional()
    .describe('Kind of run, as the field `task` of a configuration names it. Default: `pretrain`.'),
  folders: z.array(z.string().min(1)).min(1).max(100).describe('Absolute paths of folders with images.'),
  preset: z.enum(presetNames).default('tiny'),
  name: z.string().optional().describe('Name of the run. Default: the name of the first folder.'),
  device: z.enum(engineDevices).default('cpu'),
});

/** A configuration, or the folders to make one for. */
export const runSourceSchema = z.union([
  z.strictObject({
    config: z
      .string()
      .max(1 << 20)
      .describe('Text of a *.unimiss.jsonc file.'),
    file: z.string().describe('Absolute path of that file, which need not exist. Relative paths start at its folder.'),
  }),
  foldersSchema,
]);

export const runCreate = request(
  'unimiss/runs/create',
  'Creates a run folder from a configuration or from folders with images. Starts the run unless `start` is false.',
  {
    params: z.strictObject({
      from: runSourceSchema,
      root: z.string().optional().describe("Folder in which to create it. Default: the daemon's folder of runs."),
      start: z.boolean().default(true),
      wait: z.boolean().default(true).describe('Whether to wait in the queue while another run uses the device.'),
    }),
    result: runInfoSchema.extend({
      notices: z.array(z.string()).default([]).describe('What is ignored in the configuration, one sentence each.'),
    }),
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
  'Pauses a run after its current step. It keeps its memory.',
  oneRun,
);
export const runContinue = request('unimiss/runs/continue', 'Continues a paused run.', oneRun);
export const runStop = request(
  'unimiss/runs/stop',
  'Stops a run after its current step, with a checkpoint. Removes a queued run from the queue. The answer confirms the request; it does not wait for the run to stop.',
  oneRun,
);
export const runMove = request('unimiss/runs/move', 'Gives a queued run another place in the queue for its device.', {
  params: z.strictObject({
    run: runRef,
    place: z
      .int()
      .min(1)
      .describe('Its new place: 1 is next. A larger number than the last place means the last place.'),
  }),
  result: runInfoSchema,
});
export const runRename = request(
  'unimiss/runs/rename',
  'Gives a run another name. Its folder, and so the reference of the run, stays as it is.',
  {
    params: z.strictObject({
      run: runRef,
      name: z.string().max(4096).describe('At most 64 letters, digits, `.`, `_` and `-`.'),
    }),
    result: runInfoSchema,
  },
);
export const runKill = request(
  'unimiss/runs/kill',
  'Kills the process of a run. When started again, the run continues from its last checkpoint.',
  oneRun,
);
/** How long a deleted run stays in `.trash`, days. */
export const trashDays = 30;

export const runDelete = request(
  'unimiss/runs/delete',
  `Moves a run folder to \`.trash\` next to it, from where you can restore it for ${trashDays} days; then it is deleted. Fails while the run is training.`,
  {
    params: z.strictObject({ run: runRef, confirm: z.literal(true).describe('Confirms that the user agreed.') }),
    result: z.object({ trash: z.string().describe('Absolute path of the folder now.') }),
  },
);
