// What is odd about how a call reached us.

import type { Flag } from '../../core/event.ts';
import type { Copy, PendingCall } from './pairing.ts';

/**
 * Flags of a call that the devices `shown` have shown; `files` are the file devices of its cluster. Undefined when nothing
 * is odd, which is nearly always. It hangs on the lines alone, not on their order, but for `late`.
 */
export function flagsOf(
  call: PendingCall,
  shown: readonly string[],
  answered: boolean,
  files: readonly string[],
): Flag[] | undefined {
  let flags: Flag[] | undefined;
  const add = (flag: Flag) => {
    flags ??= [];
    if (!flags.includes(flag)) flags.push(flag);
  };
  const look = ({ late, scrub }: Copy) => {
    if (late) add('late');
    if (scrub !== undefined) add(scrub);
  };
  for (const copy of call.request) look(copy);
  if (answered) for (const copy of call.response) look(copy);
  // The line of a call without an id differs from device to device: each shows a call of its own. A call that may have
  // gone out before may have been in the file then.
  const isKnown = call.requestId !== undefined && !call.again;
  const isMissing = isKnown && files.length > 0 && !files.some((file) => shown.includes(file));
  if (isMissing) add('not_in_file');
  return flags?.sort();
}
