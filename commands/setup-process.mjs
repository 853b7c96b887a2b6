// Child processes of the setup: with our terminal, or quietly with progress shown.

import { spawn } from 'node:child_process';
import { constants } from 'node:os';

/** A fault that is told in one line, without a stack trace. */
export class Fault extends Error {}

export function say(text) {
  process.stderr.write(`sealwatch: ${text}\n`);
}

/** Runs Node with our own terminal; signals go on to it, its exit code comes back. */
export function runNode(args) {
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, ['--enable-source-maps', ...args], { stdio: 'inherit' });
    const pass = (signal) => child.kill(signal);
    // From a terminal Ctrl-C reaches the child by itself; a second SIGINT would make it give up its clean end.
    process.on('SIGINT', process.stdin.isTTY ? () => {} : pass);
    process.on('SIGTERM', pass);
    process.on('SIGHUP', pass);
    child.on('error', fail);
    child.on('exit', (code, signal) => done(code ?? 128 + constants.signals[signal]));
  });
}

/** Runs a step with its output held back, and shows that it goes on. */
export function runQuietly(label, [command, ...first], args) {
  const done = showProgress(label);
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...first, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let stopped = false;
    const pass = (signal) => {
      stopped = true;
      child.kill(signal);
    };
    process.once('SIGINT', pass).once('SIGTERM', pass);
    const chunks = [];
    child.stdout.on('data', (chunk) => chunks.push(chunk));
    child.stderr.on('data', (chunk) => chunks.push(chunk));
    child.on('error', () => reject(new Fault(`${command} was not found: it comes with Node, install it.`)));
    child.on('close', (code) => {
      process.off('SIGINT', pass).off('SIGTERM', pass);
      if (stopped) reject(new Fault(`${label}: interrupted; the next run begins this step again.`));
      resolve({ code: code ?? 1, output: Buffer.concat(chunks).toString() });
    });
  }).finally(done);
}

/** Says at once what is going on: in place on a terminal, elsewhere a line each ten seconds. */
function showProgress(label) {
  const begin = Date.now();
  const seconds = () => Math.round((Date.now() - begin) / 1000);
  const terminal = process.stderr.isTTY;
  const show = () =>
    process.stderr.write(
      `${terminal ? '\r' : ''}sealwatch: ${label} ... ${seconds()} s${terminal ? '' : '\n'}`,
    );
  show();
  const timer = setInterval(show, terminal ? 1000 : 10_000);
  return () => {
    clearInterval(timer);
    process.stderr.write(terminal ? `\r\x1b[Ksealwatch: ${label}: ${seconds()} s\n` : '');
  };
}
