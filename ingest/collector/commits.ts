// Who waits until a line is durable: woken by the first group commit that began after the line was put on the spool.

interface Waiter {
  wake(): void;
  hasLeft: boolean;
}

export class Commits {
  private waiting = new Set<Waiter>();
  private readonly ask: () => void;

  /** `ask` begins a commit if none is under way. */
  constructor(ask: () => void) {
    this.ask = ask;
  }

  /** Those who wait for the next commit. */
  get size(): number {
    return this.waiting.size;
  }

  /** Whether everything put on the spool until now is durable within `ms`. */
  within(ms: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        // A disk that stands still must not gather those who have left.
        waiter.hasLeft = true;
        this.waiting.delete(waiter);
        resolve(false);
      }, ms);
      const waiter: Waiter = {
        hasLeft: false,
        wake: () => {
          clearTimeout(timer);
          resolve(true);
        },
      };
      this.waiting.add(waiter);
      this.ask();
    });
  }

  /** A commit begins: it is for those who wait now. What it gives is called at its end; one that was refused is tried again. */
  begin(): (isDurable: boolean) => void {
    const group = this.waiting;
    this.waiting = new Set();
    return (isDurable) => {
      for (const waiter of group) {
        if (isDurable) waiter.wake();
        else if (!waiter.hasLeft) this.waiting.add(waiter);
      }
    };
  }
}
