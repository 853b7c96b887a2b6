// Opens the listener of an input, whatever its type.

import type { Input, InputOf } from '../../core/devices.ts';
import { readDatagrams } from './datagrams.ts';
import { type HttpOptions, listenHttp } from './http.ts';
import { type ListenerOptions, listenTcp, listenUnix } from './listener.ts';
import type { Listener } from './listening.ts';
import { syslogFraming } from './syslog.ts';
import { listenUdp } from './udp.ts';

/** The listener of `input`; a file has none. Throws a SealwatchError that names the device. */
export async function listen(options: HttpOptions, input: Input): Promise<Listener | undefined> {
  switch (input.type) {
    case 'tcp':
      return listenTcp(options, input);
    case 'unix':
      return listenUnix(options, input);
    case 'syslog':
      return listenSyslog(options, input);
    case 'udp':
      return listenUdp(options, input);
    case 'http':
      return listenHttp(options, input);
    default:
      return undefined;
  }
}

function listenSyslog(options: ListenerOptions, input: InputOf<'syslog'>): Promise<Listener> | Listener {
  const { fd, port } = input;
  if (fd !== undefined) return readDatagrams(options, { ...input, fd });
  return listenTcp({ ...options, framing: syslogFraming }, { ...input, port: port as number });
}
