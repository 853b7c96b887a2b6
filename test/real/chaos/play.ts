// The sender as a process, and a second reader of the same sockets' lines that does nothing else.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Sent } from './sender.ts';
import { comesFirst } from './stages.ts';

export class Sender implements AsyncDisposable {
  private readonly child: ChildProcess;
  private said = '';

  /** Writes to `file` and to Unix sockets, by name and path. */
  constructor(file: string, sockets: Record<string, string>) {
    const places = Object.entries(sockets).map(([name, path]) => `${name}=${path}`);
    this.child = spawn(process.execPath, ['dist/test/real/chaos/sender.js', file, ...places], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    comesFirst(this.child.pid ?? 0);
    this.child.stdout?.on('data', (chunk: Buffer) => {
      this.said += chunk.toString();
    });
  }

  /** Lines a second from now on. */
  rate(lines: number): void {
    this.child.stdin?.write(`rate ${lines}\n`);
  }

  async stop(): Promise<Sent> {
    const gone = once(this.child, 'exit');
    this.child.stdin?.write('stop\n');
    const [code] = (await gone) as [number | null];
    if (code !== 0) throw new Error(`the sender ended with ${code}`);
    return JSON.parse(this.said) as Sent;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await gone;
  }
}

/** The yardstick: a process that reads a socket and does nothing else. What its sender waits is this machine's doing. */
export class BareReader implements Disposable {
  private readonly child: ChildProcess;

  constructor(path: string) {
    const code = `require('net').createServer((s) => s.on('data', () => {}).on('error', () => {})).listen(process.argv[1])`;
    this.child = spawn(process.execPath, ['-e', code, path], { stdio: ['ignore', 'ignore', 'inherit'] });
    comesFirst(this.child.pid ?? 0);
  }

  [Symbol.dispose](): void {
    this.child.kill('SIGKILL');
  }
}
