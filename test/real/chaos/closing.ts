// Things to end, last begun first. Node 20 has the symbols but not the stack of the standard.

export class Closing implements AsyncDisposable {
  private readonly ends: (() => Promise<void> | void)[] = [];

  use<T extends AsyncDisposable | Disposable>(what: T): T {
    this.ends.push(() =>
      Symbol.asyncDispose in what ? (what[Symbol.asyncDispose]() as Promise<void>) : what[Symbol.dispose](),
    );
    return what;
  }

  defer(end: () => void): void {
    this.ends.push(end);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const end of this.ends.splice(0).reverse()) await end();
  }
}
