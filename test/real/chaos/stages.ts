// sealwatch as processes of its own for each stage, kept running as a service manager would: whoever ends is started again.

import { mkdirSync } from 'node:fs';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StageName } from '../../../core/records.ts';
import { freePort, Sealwatch } from '../../e2e/sealwatch.ts';

export interface Member {
  name: string;
  stage: StageName;
  process: Sealwatch;
  /** What the service manager is to do with it. */
  wanted: 'runs' | 'rests';
  isFrozen: boolean;
}

const RESTART_MS = 500;

/**
 * Who sends and who takes come before all others: they have a host of their own, where nothing else makes them wait for a processor.
 * Needs root, as the small disk does.
 */
export const comesFirst = (pid: number): void => setPriority(pid, -10);

function start({ stage, process }: Member): void {
  process.start();
  if (stage === 'collect') comesFirst(process.pid);
}

export class Stages implements AsyncDisposable {
  readonly members: Member[] = [];
  /** Ends that nobody had asked for: name and exit code. */
  readonly ends: string[] = [];
  private readonly folder: string;
  private readonly settings: Record<string, string>;
  private readonly supervising: NodeJS.Timeout;

  /** `settings` are those of every process. */
  constructor(folder: string, settings: Record<string, string>) {
    this.folder = folder;
    this.settings = settings;
    this.supervising = setInterval(() => this.supervise(), RESTART_MS);
  }

  /** Adds one process of a stage, and starts it. */
  async add(stage: StageName, settings: Record<string, string> = {}): Promise<Member> {
    const name = `${stage}-${this.members.filter((member) => member.stage === stage).length + 1}`;
    const dataDir = settings['SEALWATCH_DATA_DIR'] ?? join(this.folder, name);
    mkdirSync(dataDir, { recursive: true });
    const port = String(await freePort());
    const own = stage === 'serve' ? { SEALWATCH_API_PORT: port } : { SEALWATCH_STAGE_PORT: port };
    const process = new Sealwatch(dataDir, { ...this.settings, ...own, ...settings }, [], stage);
    const member: Member = { name, stage, process, wanted: 'runs', isFrozen: false };
    this.members.push(member);
    start(member);
    return member;
  }

  of(stage: StageName): Member[] {
    return this.members.filter((member) => member.stage === stage && member.wanted === 'runs');
  }

  /** The process that answers questions. */
  get api(): Sealwatch {
    const [serve] = this.of('serve');
    if (serve === undefined) throw new Error('no serve runs');
    return serve.process;
  }

  async ready(): Promise<void> {
    await Promise.all(this.of('serve').map(({ process }) => process.ready()));
    await Promise.all(this.members.map(({ process }) => process.ready()));
  }

  /** kill -9; the service manager starts it again. */
  async kill(member: Member): Promise<void> {
    await member.process.kill();
    this.thawed(member);
  }

  freeze(member: Member): void {
    member.isFrozen = true;
    member.process.signal('SIGSTOP');
  }

  thaw(member: Member): void {
    member.process.signal('SIGCONT');
    this.thawed(member);
  }

  private thawed(member: Member): void {
    member.isFrozen = false;
  }

  /** Takes a process out for good, as a scale-down would. */
  async remove(member: Member): Promise<void> {
    member.wanted = 'rests';
    if (member.process.ended === undefined) await member.process.end('SIGTERM');
  }

  private supervise(): void {
    for (const member of this.members) {
      const { wanted, process, name } = member;
      if (wanted === 'rests' || process.ended === undefined) continue;
      if (process.ended !== 'SIGKILL') this.ends.push(`${name}: ${process.ended}`);
      start(member);
    }
  }

  /** What processes have said that nobody wants to read: failures of our own code. */
  faults(): string[] {
    return this.members.flatMap(({ name, process }) =>
      process.output
        .split('\n')
        .filter((line) => /^INTERNAL|"level":60|TypeError|ERR_ASSERTION/.test(line))
        .map((line) => `${name}: ${line.slice(0, 500)}`),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.supervising);
    await Promise.all(this.members.map(({ process }) => process.kill()));
    await sleep(0);
  }
}
