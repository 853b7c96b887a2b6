// The drain's thread: reads what the collector's thread has made durable and brings it to Kafka. A Kafka that is slow or away holds
// up nothing but this.

import { type MessagePort, workerData } from 'node:worker_threads';
import { dataFiles } from '../../core/config.ts';
import { topics } from '../../core/records.ts';
import { EmbeddedStream } from '../../storage/stream/embedded/stream.ts';
import { Drain } from './drain.ts';
import { Draining } from './draining.ts';
import { openStream } from './open.ts';
import { ensureSpoolId, renewSpoolId } from './spool-id.ts';
import { runThread } from './thread.ts';

await runThread('drain', async ({ data, logger, say }) => {
  const { config } = data;
  const files = dataFiles(config.dataDir);
  const { collector } = workerData as { collector: MessagePort };
  const spool = await EmbeddedStream.open({
    dir: files.stream,
    partitions: config.partitions,
    writes: [],
    onHole: (hole) => logger.error({ ...hole }, 'records of the spool cannot be read; going on behind them'),
  });
  let onMore = () => {};
  await follow(collector, spool, () => onMore());
  const renewId = () => {
    logger.warn({}, 'the spool was put back to an earlier state: from here on it is another spool');
    return renewSpoolId(files.spoolId);
  };
  const spoolId = ensureSpoolId(files.spoolId);
  const draining = new Draining({
    drain: await Drain.load({ spool, spoolId, renewId, now: Date.now }),
    open: () => openStream(config, logger),
    onFreed: (freed) => collector.postMessage(freed),
    logger,
  });
  onMore = () => draining.notify();
  const running = draining.run();
  say({ type: 'ready', says: {} });
  return {
    stop: async () => {
      draining.stop();
      await running;
      await spool[Symbol.asyncDispose]();
      collector.close();
    },
    metrics: () => ({ ...draining.metrics(), sealwatch_drain_broken_records_total: spool.brokenRecords }),
  };
});

/** The collector says where the spool ends, first when it has recovered it. */
async function follow(collector: MessagePort, spool: EmbeddedStream, onMore: () => void): Promise<void> {
  await new Promise<void>((resolve) => {
    collector.on('message', (ends: number[]) => {
      for (const [partition, end] of ends.entries()) spool.follow(topics.raw, partition, end);
      onMore();
      resolve();
    });
  });
}
