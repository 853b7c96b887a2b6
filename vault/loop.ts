// Does one thing after the other, each when the one before says; never two at a time.

/** `step` does what is due and says how many milliseconds there is nothing to do; it never throws. */
export class Loop {
  private readonly step: () => Promise<number>;
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private isWoken = false;
  private isStopped = false;

  constructor(step: () => Promise<number>) {
    this.step = step;
  }

  /** Something may be due now. */
  wake(): void {
    if (this.isStopped) return;
    this.isWoken = true;
    if (this.running !== undefined) return;
    clearTimeout(this.timer);
    this.running = this.run();
  }

  /** Resolves when the step under way is done; there is none after it. */
  async stop(): Promise<void> {
    this.isStopped = true;
    clearTimeout(this.timer);
    await this.running;
  }

  private async run(): Promise<void> {
    let wait = 0;
    while (!this.isStopped && (this.isWoken || wait <= 0)) {
      this.isWoken = false;
      wait = await this.step();
    }
    this.running = undefined;
    if (!this.isStopped && Number.isFinite(wait)) this.timer = setTimeout(() => this.wake(), wait);
  }
}
