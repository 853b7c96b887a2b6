// Opens the listener of an input, whatever its type.

import type { Input } from '../../core/devices.ts';
import { type ListenerOptions, listenTcp, listenUnix } from './listener.ts';
import type { Listener } from './listening.ts';

/** The listener of `input`; a file has none. Throws a SealwatchError that names the device. */
export async function listen(options: ListenerOptions, input: Input): Promise<Listener | undefined> {
  switch (input.type) {
    case 'tcp':
      return listenTcp(options, input);
    case 'unix':
      return listenUnix(options, input);
    default:
      return undefined;
  }
}
