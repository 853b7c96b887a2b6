// Writes audit lines as Vault does: to its file device, then to its socket devices, which it dials anew on an error and
// gives the same whole line once more (vault-audit.md 3).

import { once } from 'node:events';
import { appendFileSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';

export type SocketPlace = { port: number; host: string } | { path: string };

export class VaultDevices implements Disposable {
  readonly #file: string;
  readonly #sockets: SocketDevice[];
  written = 0;

  constructor(file: string, ...places: SocketPlace[]) {
    this.#file = file;
    this.#sockets = places.map((place) => new SocketDevice(place));
  }

  /** Lines that a socket device could not be given. */
  get failed(): number {
    return this.#sockets.reduce((sum, socket) => sum + socket.failed, 0);
  }

  async write(line: string): Promise<void> {
    appendFileSync(this.#file, `${line}\n`);
    this.written++;
    for (const socket of this.#sockets) await socket.write(line);
  }

  [Symbol.dispose](): void {
    for (const socket of this.#sockets) socket.close();
  }
}

class SocketDevice {
  readonly #place: SocketPlace;
  #socket: Socket | undefined;
  failed = 0;

  constructor(place: SocketPlace) {
    this.#place = place;
  }

  async write(line: string): Promise<void> {
    try {
      await this.#send(line);
    } catch {
      this.close();
      await this.#send(line).catch(() => {
        this.close();
        this.failed++;
      });
    }
  }

  async #send(line: string): Promise<void> {
    this.#socket ??= await dial(this.#place);
    const socket = this.#socket;
    await new Promise<void>((resolve, reject) => {
      socket.write(`${line}\n`, (error) => (error ? reject(error) : resolve()));
    });
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
  }
}

async function dial(place: SocketPlace): Promise<Socket> {
  const socket = connect(place as { port: number; host: string });
  // What goes wrong shows at the write.
  socket.on('error', () => {});
  await Promise.race([
    once(socket, 'connect'),
    once(socket, 'close').then(() => Promise.reject(new Error('refused'))),
  ]);
  return socket;
}

const sample = readFileSync('deploy/sample/audit.jsonl', 'utf8').trim().split('\n');

/** Copy `n` of the sample: other request ids, entities, tokens and addresses, so that it is another company. */
export function copyOfSample(n: number): string[] {
  const digits = n.toString(16).padStart(4, '0');
  return sample.map((line) =>
    line
      .replace(/\b([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{8})[0-9a-f]{4}\b/g, `$1${digits}`)
      .replace(/hmac-sha256:([0-9a-f]{60})[0-9a-f]{4}/g, `hmac-sha256:$1${digits}`)
      // A lease id ends in 24 random characters.
      .replace(/("lease_id":"[^"]+)[A-Za-z0-9]{4}"/g, `$1${digits}"`)
      .replaceAll('"127.0.0.', `"127.0.${n}.`),
  );
}

/** The line as if Vault wrote it at `ms`; nanoseconds count up so that no two lines have the same time. */
export function writtenAt(line: string, ms: number, n: number): string {
  const nanos = String(n % 1_000_000).padStart(6, '0');
  return line.replace(
    /"time":"[^"]*","type"/,
    `"time":"${new Date(ms).toISOString().slice(0, 23)}${nanos}Z","type"`,
  );
}
