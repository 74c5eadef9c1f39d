import koffi from 'koffi';

/**
 * koffi runs each C call on a separate stack: by default 128 KiB for asynchronous calls, which a step's first execution
 * (grappler, XLA's compiler) could overrun. Pages that are never touched cost nothing.
 */
const STACK_BYTES = 16 * 2 ** 20;

/** koffi accepts settings only before the process's first call to C, so all code that calls C imports koffi from here. */
if (koffi.config().async_stack_size !== STACK_BYTES)
  koffi.config({ sync_stack_size: STACK_BYTES, async_stack_size: STACK_BYTES });

export { koffi };
