// Listens where a Vault socket device with socket_type=udp sends: a datagram is one line. Nobody can say who sent it or
// what was lost on the way, so coverage calls its origin unprovable (vault-audit.md 3).

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import type { InputOf } from '../../core/devices.ts';
import { limits } from '../../core/limits.ts';
import { Framer } from './framer.ts';
import type { ListenerOptions } from './listener.ts';
import { cannotListen, type Listener } from './listening.ts';
import { Peers } from './peers.ts';
import { syslogSink } from './syslog.ts';

/** Listens on the input's host and port. Throws PORT_TAKEN or LISTEN_FAILED. */
export async function listenUdp(options: ListenerOptions, input: InputOf<'udp'>): Promise<Listener> {
  const { device, host, port } = input;
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
  receive(socket, options, new Peers(input, options.intake));
  socket.bind(port, host);
  try {
    await once(socket, 'listening');
  } catch (error) {
    socket.close();
    throw cannotListen(`${host}:${port}`, device, error);
  }
  // An error of one datagram must not end the process.
  socket.on('error', () => {});
  enlargeBuffer(socket);
  const actual = socket.address().port;
  return {
    device,
    address: `${host}:${actual}`,
    port: actual,
    [Symbol.asyncDispose]: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

function enlargeBuffer(socket: Socket): void {
  try {
    socket.setRecvBufferSize(limits.udpBufferBytes);
  } catch {
    // Some systems refuse what is over their own limit; then the usual buffer stays.
  }
}

function receive(socket: Socket, { intake, now }: ListenerOptions, peers: Peers): void {
  let source = peers.source();
  let nowMs = 0;
  // A datagram leaves nothing behind, so that one framer serves all. It may come from a syslog forwarder.
  const framer = new Framer(
    syslogSink({
      line: (bytes, from, to) => intake.line(source, bytes, from, to, nowMs),
      lost: (reason, bytes) => intake.lost(source.feed, reason, bytes),
    }),
  );
  socket.on('message', (datagram, { address }) => {
    if (!peers.mayBe(address)) {
      peers.refused();
      return;
    }
    nowMs = now();
    source = peers.source(address);
    framer.push(datagram);
    // The newline at its end may be there or not.
    framer.endAsLine();
  });
}
