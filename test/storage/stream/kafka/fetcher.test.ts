// Reading ahead: whoever waits hears of a Kafka that goes away, whenever he came; what nobody reads is not fetched.

import { expect, test } from 'vitest';
import { Fetcher } from '../../../../storage/stream/kafka/fetcher.ts';
import type { Fetched, Link } from '../../../../storage/stream/kafka/link.ts';
import { Losses } from '../../../../storage/stream/kafka/losses.ts';

/** A Kafka whose answers come when a test says so. */
class FakeSlowLink {
  readonly calls: { partitions: number[]; fail: (error: Error) => void }[] = [];
  private heard: () => void = () => {};

  fetch(places: readonly { partition: number }[], waitMs: number): Promise<Fetched[]> {
    // Who watches for new records waits for ever.
    if (waitMs > 0) return new Promise(() => {});
    return new Promise((_, fail) => {
      this.calls.push({ partitions: places.map(({ partition }) => partition), fail });
      this.heard();
    });
  }

  async call(n: number): Promise<{ partitions: number[]; fail: (error: Error) => void }> {
    for (;;) {
      const call = this.calls[n];
      if (call !== undefined) return call;
      await new Promise<void>((resolve) => {
        this.heard = resolve;
      });
    }
  }
}

test('who begins to read while a request for another fails is not forgotten', async () => {
  const link = new FakeSlowLink();
  const fetcher = new Fetcher(link as unknown as Link, new Losses(() => {}));
  for (const partition of [0, 1]) fetcher.learn('t', partition, { end: 5 });
  const first = fetcher.read('t', 0, 0, 1_000);
  first.catch(() => {});
  const call = await link.call(0);
  const second = fetcher.read('t', 1, 0, 1_000);
  second.catch(() => {});
  call.fail(new Error('away'));
  await expect(first).rejects.toThrow('away');
  const again = await link.call(1);
  expect(again.partitions).toContain(1);
  again.fail(new Error('away still'));
  await expect(second).rejects.toThrow('away still');
  fetcher.close();
});

/** A partition that ends at `end`, as its leader tells who asks at `offset`. */
function endingAt(end: number): Fetcher {
  const fetch = async (
    places: readonly { topic: string; partition: number; offset: number }[],
    waitMs: number,
  ) => {
    if (waitMs > 0) return new Promise<never>(() => {});
    return places.map((place) => ({ ...place, messages: [], start: 0, end }));
  };
  return new Fetcher({ fetch } as unknown as Link, new Losses(() => {}));
}

test('who goes on behind the end of a topic that was made anew hears of it, and reads nothing of it', async () => {
  const fetcher = endingAt(5);
  fetcher.learn('t', 0, { end: 5 });
  await expect(fetcher.read('t', 0, 10, 1_000)).rejects.toMatchObject({ code: 'KAFKA_TOPICS_WRONG' });
  fetcher.close();
});

test('who knows of more than this process has heard of reads on', async () => {
  const fetcher = endingAt(10);
  fetcher.learn('t', 0, { end: 5 });
  expect(await fetcher.read('t', 0, 10, 1_000)).toEqual([]);
  expect(fetcher.of('t', 0).end).toBe(10);
  fetcher.close();
});

test('of what nobody reads only the end is asked, and who waits for more hears of it', async () => {
  let end = 5;
  let fetched = 0;
  const link = {
    offsets: async (_: string, partitions: readonly number[]) => new Map(partitions.map((one) => [one, end])),
    fetch: async () => {
      fetched++;
      return [];
    },
  };
  const fetcher = new Fetcher(link as unknown as Link, new Losses(() => {}));
  const heard = new Promise<void>((resolve) => {
    fetcher.onRecords = resolve;
  });
  fetcher.learn('t', 0, { end });
  end = 9;
  expect(fetcher.of('t', 0).end).toBe(5);
  await heard;
  expect(fetcher.of('t', 0).end).toBe(9);
  expect(fetched).toBe(0);
  fetcher.close();
});
