// Works through a list with a few workers side by side, as many programs call one Vault.

const WORKERS = 6;

/** Rejects with the first failure, after all workers have come to their end. */
export async function eachOf<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const queue = items.values();
  const worker = async () => {
    for (const item of queue) await work(item);
  };
  const results = await Promise.allSettled(Array.from({ length: WORKERS }, worker));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
