// The yardstick: what Node needs to read lines, JSON.parse, JSON.stringify and write them, and nothing else.

import { closeSync, openSync, readSync, writeSync } from 'node:fs';

const [from = '', to = ''] = process.argv.slice(2);
const input = openSync(from, 'r');
const output = openSync(to, 'w');
const buffer = Buffer.allocUnsafe(256 * 1024);
let kept = 0;
let chunk = '';
for (;;) {
  const read = readSync(input, buffer, kept, buffer.length - kept, null);
  if (read === 0) break;
  const end = kept + read;
  let at = 0;
  for (let newline = buffer.indexOf(10); newline >= 0 && newline < end; newline = buffer.indexOf(10, at)) {
    chunk += `${JSON.stringify(JSON.parse(buffer.toString('utf8', at, newline)))}\n`;
    at = newline + 1;
  }
  buffer.copy(buffer, 0, at, end);
  kept = end - at;
  writeSync(output, chunk);
  chunk = '';
}
closeSync(input);
closeSync(output);
