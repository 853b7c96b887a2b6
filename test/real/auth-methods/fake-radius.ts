// A fake RADIUS server (RFC 2865): it knows one password, sent by PAP.

import { createHash } from 'node:crypto';
import { createSocket } from 'node:dgram';

export const radiusSecret = 'example-radius-secret';
const USER_PASSWORD = 2;
const ACCEPT = 2;
const REJECT = 3;

export interface FakeRadius extends AsyncDisposable {
  port: number;
}

export async function fakeRadius(password: string): Promise<FakeRadius> {
  const socket = createSocket('udp4');
  socket.on('message', (packet, peer) => {
    const code = passwordIn(packet) === password ? ACCEPT : REJECT;
    const head = Buffer.from([code, packet[1] ?? 0, 0, 20]);
    const authenticator = packet.subarray(4, 20);
    const sum = createHash('md5').update(head).update(authenticator).update(radiusSecret).digest();
    socket.send(Buffer.concat([head, sum]), peer.port, peer.address);
  });
  await new Promise<void>((done) => socket.bind(0, '127.0.0.1', done));
  return {
    port: socket.address().port,
    async [Symbol.asyncDispose]() {
      await new Promise<void>((done) => socket.close(done));
    },
  };
}

/** The password is XORed in blocks of 16 with MD5(secret + what came before), section 5.2. */
function passwordIn(packet: Buffer): string {
  for (let at = 20; at + 2 <= packet.length; at += Math.max(packet[at + 1] ?? 2, 2)) {
    if (packet[at] !== USER_PASSWORD) continue;
    const hidden = packet.subarray(at + 2, at + (packet[at + 1] ?? 2));
    const plain = Buffer.alloc(hidden.length);
    let before = packet.subarray(4, 20);
    for (let block = 0; block < hidden.length; block += 16) {
      const pad = createHash('md5').update(radiusSecret).update(before).digest();
      for (let i = block; i < block + 16; i++) plain[i] = (hidden[i] ?? 0) ^ (pad[i - block] ?? 0);
      before = hidden.subarray(block, block + 16);
    }
    return plain.toString().replace(/\0+$/, '');
  }
  return '';
}
