// Listens for OpenBao's HTTP audit device: one POST a line, answered when the line is durable or when waiting longer would
// hold up OpenBao, which waits for the answer twice in each API call (vault-audit.md 3).

import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { Socket } from 'node:net';
import type { InputOf } from '../../core/devices.ts';
import { limits } from '../../core/limits.ts';
import type { Commits } from './commits.ts';
import { Connections, type Place } from './connections.ts';
import { Framer, type FrameSink } from './framer.ts';
import type { ListenerOptions } from './listener.ts';
import { type Listener, listening, shut } from './listening.ts';
import { Peers, peerOf } from './peers.ts';
import { tlsOptions } from './tls.ts';
import { Tokens } from './token.ts';

export interface HttpOptions extends ListenerOptions {
  commits: Pick<Commits, 'within'>;
}

/** Listens on the input's host and port. Throws PORT_TAKEN, LISTEN_FAILED or CONFIG_INVALID. */
export async function listenHttp(options: HttpOptions, input: InputOf<'http'>): Promise<Listener> {
  const { device, host, port, tls, tokenFile } = input;
  const peers = new Peers(input, options.intake);
  const connections = new Connections(() => peers.refused());
  const tokens = new Tokens(tokenFile, device);
  const posts = new Posts(options, peers, tokens, input.httpDurableWaitMs);
  const server =
    tls === undefined
      ? createServer(serverOptions)
      : createSecureServer({ ...serverOptions, ...tlsOptions(tls, device) });
  const isWrapped = tls !== undefined;
  server.prependListener('connection', (socket: Socket) => {
    const place = connections.admit(socket, peerOf(socket.remoteAddress ?? ''));
    if (place !== undefined && !isWrapped) posts.places.set(socket, place);
  });
  server.on('secureConnection', (socket: Socket) => {
    const place = connections.placeOf(socket);
    if (place !== undefined) posts.places.set(socket, place);
  });
  server.on('request', (request: IncomingMessage, response: ServerResponse) => posts.take(request, response));
  const actual = await listening(server, { host, port }, device);
  return {
    device,
    address: `${host}:${actual}`,
    port: actual,
    [Symbol.asyncDispose]: async () => {
      await shut(server as Server, () => connections.closeAll());
      tokens[Symbol.dispose]();
    },
  };
}

const serverOptions: ServerOptions = {
  keepAlive: true,
  keepAliveInitialDelay: limits.keepAliveMs,
  keepAliveTimeout: limits.httpKeepAliveMs,
  headersTimeout: limits.httpHeadersMs,
  requestTimeout: limits.httpRequestMs,
  connectionsCheckingInterval: limits.httpHeadersMs / 2,
};

/** What becomes of the requests of one listener. */
class Posts {
  /** Of the sockets that requests come on. */
  readonly places = new WeakMap<Socket, Place>();
  private readonly options: HttpOptions;
  private readonly peers: Peers;
  private readonly tokens: Tokens;
  private readonly waitMs: number;

  constructor(options: HttpOptions, peers: Peers, tokens: Tokens, waitMs: number) {
    this.options = options;
    this.peers = peers;
    this.tokens = tokens;
    this.waitMs = waitMs;
  }

  take(request: IncomingMessage, response: ServerResponse): void {
    request.on('error', () => {});
    response.on('error', () => {});
    const place = this.places.get(request.socket);
    place?.heard();
    if (place === undefined) request.destroy();
    else if (!this.peers.mayBe(place.address ?? '')) {
      this.peers.refused();
      answer(response, 403, { connection: 'close' });
    } else if (!this.tokens.matches(request.headers.authorization))
      answer(response, 401, { 'www-authenticate': 'Bearer' });
    else if (request.method !== 'POST') answer(response, 405, { allow: 'POST' });
    else if (Number(request.headers['content-length'] ?? 0) > BODY_BYTES_MAX) {
      this.peers.lost('line_too_long', Number(request.headers['content-length']));
      answer(response, 413);
    } else this.read(request, response, place);
  }

  private read(request: IncomingMessage, response: ServerResponse, place: Place): void {
    const body = new Body(this.options, this.peers, place);
    const onData = (chunk: Buffer) => {
      body.push(chunk);
      if (body.bytes <= BODY_BYTES_MAX) return;
      // What still comes is read and thrown away, or the answer would be lost in a reset.
      request.off('data', onData).off('end', onEnd).resume();
      body.cut('line_too_long');
      answer(response, 413);
    };
    const onEnd = () => {
      if (!body.finish()) answer(response, 413);
      else if (!body.isTaken) answer(response, 503);
      else void this.confirm(body, response);
    };
    request.on('data', onData).on('end', onEnd);
    request.on('close', () => {
      if (!request.complete) body.cut('truncated');
    });
  }

  private async confirm(body: Body, response: ServerResponse): Promise<void> {
    if (body.bytes > 0 && !(await this.options.commits.within(this.waitMs)))
      this.peers.lost('unconfirmed', body.bytes);
    answer(response, 200);
  }
}

/** The lines of one request; each goes to the spool as soon as it is whole. */
class Body {
  bytes = 0;
  /** The spool took every line. */
  isTaken = true;
  private readonly framer: Framer;
  private readonly peers: Peers;
  /** Bytes of lines that were given up. */
  private lost = 0;

  constructor({ intake, budget, now }: ListenerOptions, peers: Peers, place: Place) {
    this.peers = peers;
    const source = peers.source(place.address);
    const sink: FrameSink = {
      line: (bytes, from, to) => {
        place.proven();
        if (!intake.line(source, bytes, from, to, now())) this.isTaken = false;
      },
      lost: (_, bytes) => {
        this.lost += bytes;
      },
    };
    this.framer = new Framer(sink, budget.of(place.peer));
  }

  push(chunk: Buffer): void {
    this.bytes += chunk.length;
    this.framer.push(chunk);
  }

  /** The body is whole; false when a line in it was too long. */
  finish(): boolean {
    this.framer.endAsLine();
    if (this.lost === 0) return true;
    this.cut('line_too_long');
    return false;
  }

  /** What is unfinished is given up and counted. */
  cut(reason: 'truncated' | 'line_too_long'): void {
    this.framer.end();
    if (this.lost > 0) this.peers.lost(reason, this.lost);
    this.lost = 0;
  }
}

/** The longest line and its end. */
const BODY_BYTES_MAX = limits.lineBytesMax + 2;

function answer(response: ServerResponse, status: number, headers: Record<string, string> = {}): void {
  if (!response.headersSent) response.writeHead(status, { ...headers, 'content-length': '0' }).end();
}
