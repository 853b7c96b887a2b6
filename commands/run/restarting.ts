// A task whose memory is on disk: begun anew from its last commit when the disk has refused something.

import type { Stream } from '../../core/ports.ts';

export interface Task {
  step(): Promise<number>;
  commit(): Promise<void>;
}

export class Restarting<M extends Disposable, T extends Task> implements Disposable {
  /** As it is now: another one after each refusal. */
  task: T;
  /** That of `task`. */
  memory: M;
  /** Whether it waits to be begun anew. */
  isBroken = false;
  private readonly options: RestartingOptions<M, T>;

  private constructor(options: RestartingOptions<M, T>, memory: M, task: T) {
    this.options = options;
    this.memory = memory;
    this.task = task;
  }

  static async load<M extends Disposable, T extends Task>(options: RestartingOptions<M, T>) {
    const { memory, task } = await begin(options);
    return new Restarting(options, memory, task);
  }

  /** Takes one batch; the caller flushes, then commits. Throws when the disk refuses: then the next step begins anew. */
  async step(): Promise<number> {
    if (this.isBroken) await this.beginAnew();
    return this.breaking(() => this.task.step());
  }

  /** Only after a flush. Throws as `step` does. */
  async commit(): Promise<void> {
    if (!this.isBroken) await this.breaking(() => this.task.commit());
  }

  /** Begins anew where it is, with what its `load` has now: after a flush, or what it made would be made twice. */
  async reload(): Promise<void> {
    if (this.isBroken) return;
    await this.breaking(async () => {
      await this.task.commit();
      this.task = await this.options.load(this.memory);
    });
  }

  private async breaking<R>(work: () => Promise<R>): Promise<R> {
    try {
      return await work();
    } catch (error) {
      this.isBroken = true;
      throw error;
    }
  }

  /** What was appended must be durable before anything is made again. */
  private async beginAnew(): Promise<void> {
    await this.options.stream.flush();
    this.memory[Symbol.dispose]();
    Object.assign(this, await begin(this.options));
    this.isBroken = false;
  }

  [Symbol.dispose](): void {
    this.memory[Symbol.dispose]();
  }
}

interface RestartingOptions<M, T> {
  stream: Stream;
  /** Opens the memory; again after its disk has refused something. */
  open: () => Promise<M>;
  load: (memory: M) => Promise<T>;
}

async function begin<M extends Disposable, T>({ open, load }: RestartingOptions<M, T>) {
  const memory = await open();
  try {
    return { memory, task: await load(memory) };
  } catch (error) {
    memory[Symbol.dispose]();
    throw error;
  }
}
