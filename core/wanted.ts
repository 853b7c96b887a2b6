// Whether an answer is still wanted: the signal of the call that is being answered, for whoever works for it further down.

import { AsyncLocalStorage } from 'node:async_hooks';

const calls = new AsyncLocalStorage<AbortSignal>();

/** All that `work` begins is for the call that `signal` is of; it aborts when nobody waits for the answer any more. */
export const whileWanted = <T>(signal: AbortSignal, work: () => T): T => calls.run(signal, work);

/** Of the call that is being answered; undefined outside of one. */
export const wanted = (): AbortSignal | undefined => calls.getStore();
