// Reads the Unix datagram socket that systemd hands over. Node cannot, so a child process does: it reads, and writes what came
// to its standard output with octet counts, like a syslog forwarder.

import { type ChildProcess, spawn } from 'node:child_process';
import { fstatSync } from 'node:fs';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SealwatchError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import type { ListenerOptions } from './listener.ts';
import type { Listener } from './listening.ts';
import { THIS_HOST } from './partial.ts';
import { Peers, type PeersOptions } from './peers.ts';
import { syslogFraming } from './syslog.ts';

export interface DatagramInput extends PeersOptions {
  fd: number;
}

/** What reads the socket, as its file descriptor 3, until its standard input ends. */
const reader = [fileURLToPath(new URL(`./datagram-reader${extname(import.meta.url)}`, import.meta.url))];

/** Reads the socket `input.fd`. Throws LISTEN_FAILED when nobody handed one over. `args` is what the child runs. */
export function readDatagrams(options: ListenerOptions, input: DatagramInput, args = reader): Listener {
  const { device, fd } = input;
  checkSocket(fd, device);
  const datagrams = new Datagrams(options, input, args);
  return { device, address: `fd ${fd}`, [Symbol.asyncDispose]: () => datagrams.stop() };
}

function checkSocket(fd: number, device: string): void {
  try {
    if (fstatSync(fd).isSocket()) return;
  } catch {
    // It is not open; said below.
  }
  throw new SealwatchError(
    'LISTEN_FAILED',
    `file descriptor ${fd} of the audit device ${device} is no socket`,
    'It is handed over by systemd: see sealwatch-syslog.socket in docs/operating/files-and-syslog.md.',
  );
}

class Datagrams {
  private readonly options: ListenerOptions;
  private readonly input: DatagramInput;
  private readonly args: readonly string[];
  private child: ChildProcess | undefined;
  private restarting: NodeJS.Timeout | undefined;
  private isStopped = false;

  constructor(options: ListenerOptions, input: DatagramInput, args: readonly string[]) {
    this.options = options;
    this.input = input;
    this.args = args;
    this.begin();
  }

  /** Never paused: what waits in the pipe makes the child wait, then the socket, then Vault. */
  private begin(): void {
    const { intake, budget, now } = this.options;
    const source = new Peers(this.input, intake).source();
    let nowMs = 0;
    const framer = syslogFraming(
      {
        line: (bytes, from, to) => intake.line(source, bytes, from, to, nowMs),
        lost: (reason, bytes) => intake.lost(source.feed, reason, bytes),
      },
      budget.of(THIS_HOST),
    );
    const child = spawn(process.execPath, this.args, { stdio: ['pipe', 'pipe', 'inherit', this.input.fd] });
    this.child = child;
    child.stdout?.on('data', (chunk: Buffer) => {
      nowMs = now();
      framer.push(chunk);
    });
    // The end of this pipe ends the child, also when this process is killed; a write to it never happens.
    child.stdin?.on('error', () => {});
    child.on('error', () => this.beginAgain());
    child.on('close', () => {
      framer.end();
      this.beginAgain();
    });
  }

  /** What comes meanwhile waits in the socket. */
  private beginAgain(): void {
    clearTimeout(this.restarting);
    if (!this.isStopped) this.restarting = setTimeout(() => this.begin(), limits.datagramRestartMs);
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    clearTimeout(this.restarting);
    const { child } = this;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const closed = new Promise((resolve) => child.once('close', resolve));
    // It waits in a read that nothing else ends. What it has written is still in the pipe and is read.
    child.kill('SIGKILL');
    await closed;
  }
}
