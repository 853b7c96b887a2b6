// Parts of a ledger that only write down what they are told, to see the order; real ones stand in `ingest/ledger/`.

import type { Change } from '../../../ingest/ledger/change.ts';
import type { LedgerParts } from '../../../ingest/ledger/join.ts';

export interface Told {
  parts: LedgerParts;
  /** `advance TIME`, `call ID`, `answer PATH`, `hashes ID`, in the order they came. */
  log: string[];
}

/** `onCall` is what the reading does at a call: it may ask, or throw. */
export function toldParts(onCall: (id: string) => void = () => {}): Told {
  const log: string[] = [];
  const none: Change[] = [];
  return {
    log,
    parts: {
      life: { apply: () => {}, advance: (time) => void log.push(`advance ${time.slice(14, 19)}`) },
      directory: { call: () => {}, answer: () => {} },
      reading: {
        call: (event) => {
          log.push(`call ${event.event.id}`);
          onCall(event.event.id);
          return none;
        },
        answer: ({ path }) => {
          log.push(`answer ${path}`);
          return none;
        },
        hashes: ({ id }) => {
          log.push(`hashes ${id}`);
          return none;
        },
      },
    },
  };
}
