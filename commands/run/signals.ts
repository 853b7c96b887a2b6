// The signals that `run` hears: what ends it, and what lets it look at its rules.

import { closeSync, openSync } from 'node:fs';
import { isatty } from 'node:tty';

/**
 * Resolves with nothing when sealwatch is to end: at SIGINT, SIGTERM, and when the terminal that it was started on was closed. Any
 * other SIGHUP calls `reload`.
 */
export function signalled(reload: () => void): Promise<undefined> {
  // `nohup` leaves the controlling terminal and takes all three away.
  const isOnTerminal = [0, 1, 2].some((fd) => isatty(fd)) && hasTerminal();
  return new Promise((resolve) => {
    const end = () => resolve(undefined);
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, end);
    // From the start on: the default of SIGHUP ends the process without a word.
    process.on('SIGHUP', () => {
      if (!isOnTerminal || hasTerminal()) return reload();
      process.once('exit', dieOfHangup);
      end();
    });
  });
}

/** At the very end, as every program does: Node itself would abort when it cannot put a terminal back that is gone. */
function dieOfHangup(): void {
  process.removeAllListeners('SIGHUP');
  process.kill(process.pid, 'SIGHUP');
}

/** A process loses its controlling terminal when it is closed: the system says so at /dev/tty. */
function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    return false;
  }
}
