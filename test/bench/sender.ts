// Writes audit lines to a Unix socket as Vault does: one at a time, each whole before the next. In a process of its own, so
// that the time a write takes is the receiver's doing. Prints what it measured as one line of JSON.

import { connect } from 'node:net';
import { lineMaker } from './input.ts';

const [path = '', from = '', rate = '', seconds = ''] = process.argv.slice(2);
const line = lineMaker(from);
const socket = connect(path);
await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));

/** Milliseconds until the kernel has all of it: at once when its buffer has room, else when the receiver has made some. */
function send(text: string): Promise<number> {
  const startMs = performance.now();
  return new Promise((resolve, reject) => {
    const isTaken = socket.write(text, (error) => {
      if (error) reject(error);
      else if (socket.writableLength === 0) resolve(performance.now() - startMs);
    });
    if (isTaken && socket.writableLength === 0) resolve(performance.now() - startMs);
  });
}

const took: number[] = [];
const blocked: number[] = [];
let longestPauseMs = 0;
const startMs = Date.now();
const total = Number(rate) * Number(seconds);
for (let n = 0; n < total; ) {
  const due = Math.min(((Date.now() - startMs) / 1000) * Number(rate), total);
  for (; n < due; n++) {
    const text = `${line(n, Date.now())}\n`;
    const before = performance.now();
    const ms = await send(text);
    took.push(ms);
    if (ms > 1) blocked.push(ms);
    longestPauseMs = Math.max(longestPauseMs, performance.now() - before - ms);
  }
  const pauseMs = performance.now();
  await new Promise((resolve) => setTimeout(resolve, 5));
  longestPauseMs = Math.max(longestPauseMs, performance.now() - pauseMs - 5);
}
await new Promise<void>((resolve) => socket.end(resolve));
took.sort((a, b) => a - b);
const at = (share: number) => took[Math.min(took.length - 1, Math.floor(took.length * share))] ?? 0;
process.stdout.write(
  `${JSON.stringify({
    lines: total,
    seconds: (Date.now() - startMs) / 1000,
    p50: at(0.5),
    p99: at(0.99),
    p9999: at(0.9999),
    max: at(1),
    over1ms: blocked.length,
    longestPauseMs,
  })}\n`,
);
