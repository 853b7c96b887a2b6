// Writes lines as Vault does, to one file device and to socket devices, in a process of its own so that the time a write takes is
// the receiver's doing. Orders come on stdin (`rate 1000`, `stop`); what was measured goes to stdout as a line of JSON.

import { closeSync, openSync, writeSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { Truth } from './truth.ts';

/** What one socket device has seen. Times in ms. */
export interface Written {
  /** Lines that it was given whole; what a dying connection swallowed is among them. */
  taken: number;
  failed: number;
  dials: number;
  /** Longest time that a write waited because the kernel's buffer was full. */
  longestMs: number;
  /** Wall time at which that was. */
  longestAt: number;
  over10ms: number;
}

export interface Sent {
  lines: number;
  copies: number;
  /** How much longer than asked for the sender slept at most: it was not given a processor. */
  pauseMs: number;
  sockets: Record<string, Written>;
}

/** A socket device of Vault: on an error it dials anew and gives the same whole line once more (vault-audit.md 3). */
class Device {
  readonly written: Written = { taken: 0, failed: 0, dials: 0, longestMs: 0, longestAt: 0, over10ms: 0 };
  private readonly path: string;
  private socket: Socket | undefined;

  constructor(path: string) {
    this.path = path;
  }

  async write(text: string): Promise<void> {
    for (let attempt = 0; attempt < 2; attempt++) {
      try {
        await this.send(text);
        this.written.taken++;
        return;
      } catch {
        this.close();
      }
    }
    this.written.failed++;
  }

  private async send(text: string): Promise<void> {
    this.socket ??= await this.dial();
    const socket = this.socket;
    const startMs = performance.now();
    let isTaken = true;
    await new Promise<void>((resolve, reject) => {
      const gone = () => reject(new Error('gone'));
      socket.once('close', gone);
      socket.write(text, (error) => {
        socket.off('close', gone);
        if (error) reject(error);
        else resolve();
      });
      // What the kernel takes at once was not waited for, however long this process slept then.
      isTaken = socket.writableLength === 0;
    });
    if (!isTaken) this.note(performance.now() - startMs);
  }

  private note(ms: number): void {
    if (ms > 10) this.written.over10ms++;
    if (ms <= this.written.longestMs) return;
    this.written.longestMs = ms;
    this.written.longestAt = Date.now();
  }

  private dial(): Promise<Socket> {
    this.written.dials++;
    return new Promise((resolve, reject) => {
      const socket = connect(this.path);
      // What goes wrong later shows at the write.
      socket.on('error', reject);
      socket.once('connect', () => resolve(socket));
    });
  }

  close(): void {
    this.socket?.destroy();
    this.socket = undefined;
  }

  end(): Promise<void> {
    return new Promise((resolve) => (this.socket === undefined ? resolve() : this.socket.end(resolve)));
  }
}

const PAUSE_MS = 5;
const [file = '', ...places] = process.argv.slice(2);
const devices = Object.fromEntries(
  places.map((place) => {
    const [name = '', path = ''] = place.split('=');
    return [name, new Device(path)];
  }),
);
const truth = new Truth();
const log = openSync(file, 'a');
let rate = 0;
let isOver = false;
createInterface({ input: process.stdin })
  .on('line', (order) => {
    if (order === 'stop') isOver = true;
    else rate = Number(order.replace('rate ', ''));
  })
  .on('close', () => {
    isOver = true;
  });

async function write(): Promise<void> {
  const text = `${truth.next(Date.now())}\n`;
  writeSync(log, text);
  for (const device of Object.values(devices)) await device.write(text);
}

let pauseMs = 0;
let owed = 0;
for (let lastMs = performance.now(); !isOver; ) {
  const nowMs = performance.now();
  // What could not be written in a second is not made good: a Vault that waits writes less.
  owed = Math.min(owed + ((nowMs - lastMs) / 1000) * rate, rate);
  lastMs = nowMs;
  for (; owed >= 1 && !isOver; owed--) await write();
  const pausedMs = performance.now();
  await sleep(PAUSE_MS);
  pauseMs = Math.max(pauseMs, performance.now() - pausedMs - PAUSE_MS);
}
while (!truth.isWhole) await write();
for (const device of Object.values(devices)) await device.end();
closeSync(log);
const sent: Sent = {
  lines: truth.lines,
  copies: truth.copies,
  pauseMs,
  sockets: Object.fromEntries(Object.entries(devices).map(([name, { written }]) => [name, written])),
};
process.stdout.write(`${JSON.stringify(sent)}\n`);
process.exit(0);
