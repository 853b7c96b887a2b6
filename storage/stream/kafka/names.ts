// Topics beside those of the stream, without the configured prefix.

/** State of stages, replaced key by key. */
export const SNAPSHOTS = 'vault.audit.snapshots';

/** Each memory is a topic of its own: `ledger`, and those of detectors that all begin with `detect-`. */
export const MEMORY = 'vault.audit.memory.';
