import koffi from 'koffi';

/**
 * koffi gives each C call a stack of its own: 128 KiB for asynchronous ones unless told otherwise, which a step's first
 * execution (grappler, XLA's compiler) could overrun. Pages that are never touched cost nothing.
 */
const STACK_BYTES = 16 * 2 ** 20;

/** koffi takes settings only until the process's first call to C: so everything of ours that calls C imports koffi from here. */
if (koffi.config().async_stack_size !== STACK_BYTES)
  koffi.config({ sync_stack_size: STACK_BYTES, async_stack_size: STACK_BYTES });

export { koffi };
