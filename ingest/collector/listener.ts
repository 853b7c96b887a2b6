// Listens where a Vault socket device dials: TCP, TLS or a Unix stream. Reads whatever comes, answers nothing, never closes
// a Vault first: a collector that stops reading blocks Vault (vault-audit.md 3).

import { chmodSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { Tls } from '../../core/devices.ts';
import { limits } from '../../core/limits.ts';
import { Connections, type Place } from './connections.ts';
import { Framer, type MakeFraming } from './framer.ts';
import type { LineSink } from './intake.ts';
import { clearLeftOver, type Listener, listening, shut } from './listening.ts';
import type { PartialBudget } from './partial.ts';
import { Peers, type PeersOptions, peerOf } from './peers.ts';
import { tlsOptions } from './tls.ts';

/** What every listener needs beside its input. */
export interface ListenerOptions {
  intake: LineSink;
  budget: PartialBudget;
  now: () => number;
}

/** What turns the bytes of a connection into lines; without it newlines do. */
interface StreamOptions extends ListenerOptions {
  framing?: MakeFraming;
}

interface TcpInput extends PeersOptions {
  host: string;
  port: number;
  tls?: Tls | undefined;
}

/** Listens on the input's host and port, with TLS if it says so. Throws PORT_TAKEN, LISTEN_FAILED or CONFIG_INVALID. */
export async function listenTcp(options: StreamOptions, input: TcpInput): Promise<Listener> {
  const { device, host, port, tls } = input;
  const peers = new Peers(input, options.intake);
  const connections = new Connections(() => peers.refused());
  const server =
    tls === undefined
      ? plainServer(options, peers, connections)
      : tlsServer(options, peers, connections, tls, device);
  const actual = await listening(server, { host, port }, device);
  return {
    device,
    address: `${host}:${actual}`,
    port: actual,
    [Symbol.asyncDispose]: () => shut(server, () => connections.closeAll()),
  };
}

/** Listens on the input's Unix socket; one that a killed sealwatch left behind is replaced. */
export async function listenUnix(
  options: StreamOptions,
  input: PeersOptions & { path: string },
): Promise<Listener> {
  const { device, path } = input;
  const peers = new Peers(input, options.intake);
  const connections = new Connections(() => peers.refused());
  await clearLeftOver(path, device);
  const server = createServer((socket) => {
    const place = connections.admit(socket);
    if (place !== undefined) receive(socket, place, peers, options);
  });
  await listening(server, { path }, device);
  // To connect one must be able to write: sealwatch and Vault share a group.
  chmodSync(path, 0o660);
  return {
    device,
    address: path,
    [Symbol.asyncDispose]: () => shut(server, () => connections.closeAll()),
  };
}

/** A host that went away without a word is found by the system, and its place becomes free. */
const keepAlive = { keepAlive: true, keepAliveInitialDelay: limits.keepAliveMs };

function plainServer(options: StreamOptions, peers: Peers, connections: Connections): Server {
  return createServer(keepAlive, (socket) => {
    const place = admitPeer(socket, peers, connections);
    if (place !== undefined) receive(socket, place, peers, options);
  });
}

function tlsServer(
  options: StreamOptions,
  peers: Peers,
  connections: Connections,
  tls: Tls,
  device: string,
): Server {
  const server = createTlsServer({ ...keepAlive, ...tlsOptions(tls, device) }, (socket) => {
    const place = connections.placeOf(socket);
    if (place === undefined) socket.destroy();
    else receive(socket, place, peers, options);
  });
  // Before the handshake, which costs more than a connection; one that fails is closed by the server and ends nothing else.
  return server.prependListener('connection', (socket) => {
    admitPeer(socket, peers, connections);
  });
}

/** A place for a connection from an address that may send; else it is closed and counted. */
export function admitPeer(socket: Socket, peers: Peers, connections: Connections): Place | undefined {
  const { remoteAddress } = socket;
  // Who has left already has no address.
  if (remoteAddress !== undefined && peers.mayBe(remoteAddress))
    return connections.admit(socket, peerOf(remoteAddress));
  if (remoteAddress !== undefined) peers.refused();
  socket.destroy();
  return undefined;
}

const byLines: MakeFraming = (sink, budget) => new Framer(sink, budget);

function receive(socket: Socket, place: Place, peers: Peers, options: StreamOptions): void {
  const { intake, budget, now, framing = byLines } = options;
  const source = peers.source(place.address);
  let nowMs = 0;
  const framer = framing(
    {
      line: (bytes, from, to) => {
        place.proven();
        intake.line(source, bytes, from, to, nowMs);
      },
      lost: (reason, bytes) => intake.lost(source.feed, reason, bytes),
    },
    budget.of(place.peer),
  );
  socket.on('data', (chunk) => {
    nowMs = now();
    place.heard();
    framer.push(chunk);
  });
  // A reset is how Vault leaves; what was read stays, and the file device has the rest.
  socket.on('error', () => {});
  socket.on('close', () => framer.end());
}
