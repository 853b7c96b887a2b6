// Opens the listener of an input, whatever its type.

import type { Input } from '../../core/devices.ts';
import { type HttpOptions, listenHttp } from './http.ts';
import { listenTcp, listenUnix } from './listener.ts';
import type { Listener } from './listening.ts';
import { listenUdp } from './udp.ts';

/** The listener of `input`; a file has none. Throws a SealwatchError that names the device. */
export async function listen(options: HttpOptions, input: Input): Promise<Listener | undefined> {
  switch (input.type) {
    case 'tcp':
      return listenTcp(options, input);
    case 'unix':
      return listenUnix(options, input);
    case 'udp':
      return listenUdp(options, input);
    case 'http':
      return listenHttp(options, input);
    default:
      return undefined;
  }
}
