// A fake LDAP server (RFC 4511): it takes one password from anybody, and finds for every search the user who bound last.

import { createServer, type Socket } from 'node:net';

export interface FakeLdap extends AsyncDisposable {
  url: string;
}

const SEQUENCE = 0x30;
const OCTETS = 0x04;
const ENUMERATED = 0x0a;
const BIND = 0x60;
const SEARCH = 0x63;
const INVALID_CREDENTIALS = 49;

interface Element {
  tag: number;
  content: Buffer;
  /** Bytes of the whole element. */
  size: number;
}

/** The BER element at the begin of `bytes`; undefined while it is not whole. */
function elementOf(bytes: Buffer): Element | undefined {
  const [tag, first] = bytes;
  if (tag === undefined || first === undefined) return undefined;
  const longBytes = first & 0x80 ? first & 0x7f : 0;
  if (bytes.length < 2 + longBytes) return undefined;
  const length = longBytes > 0 ? bytes.readUIntBE(2, longBytes) : first;
  const start = 2 + longBytes;
  if (bytes.length < start + length) return undefined;
  return { tag, content: bytes.subarray(start, start + length), size: start + length };
}

function elementsOf(bytes: Buffer): Element[] {
  const elements: Element[] = [];
  for (let rest = bytes; rest.length > 0; ) {
    const element = elementOf(rest);
    if (element === undefined) break;
    elements.push(element);
    rest = rest.subarray(element.size);
  }
  return elements;
}

function ber(tag: number, ...parts: (Buffer | string | number)[]): Buffer {
  const content = Buffer.concat(
    parts.map((part) => (typeof part === 'number' ? Buffer.from([part]) : Buffer.from(part))),
  );
  const size = content.length < 128 ? [content.length] : [0x82, content.length >> 8, content.length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

const result = (tag: number, code: number) => ber(tag, ber(ENUMERATED, code), ber(OCTETS), ber(OCTETS));

function entryOf(dn: string): Buffer {
  const name = /^cn=([^,]+)/.exec(dn)?.[1] ?? '';
  const attribute = ber(SEQUENCE, ber(OCTETS, 'cn'), ber(0x31, ber(OCTETS, name)));
  return ber(0x64, ber(OCTETS, dn), ber(SEQUENCE, attribute));
}

function serve(socket: Socket, password: string): void {
  let bytes: Buffer = Buffer.alloc(0);
  let dn = '';
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
    for (let message = elementOf(bytes); message !== undefined; message = elementOf(bytes)) {
      bytes = bytes.subarray(message.size);
      const [id, operation] = elementsOf(message.content);
      if (id === undefined || operation === undefined) continue;
      const answer = (body: Buffer) => socket.write(ber(SEQUENCE, ber(0x02, id.content), body));
      const parts = elementsOf(operation.content);
      if (operation.tag === BIND) {
        const accepted = parts[2]?.content.toString() === password;
        if (accepted) dn = parts[1]?.content.toString() ?? '';
        answer(result(0x61, accepted ? 0 : INVALID_CREDENTIALS));
      } else if (operation.tag === SEARCH) {
        answer(entryOf(dn));
        answer(result(0x65, 0));
      } else socket.end();
    }
  });
}

export async function fakeLdap(password: string): Promise<FakeLdap> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    serve(socket, password);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  return {
    url: `ldap://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((done) => server.close(done));
    },
  };
}
