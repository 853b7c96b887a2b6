// The collector's thread: no store, detector or API in it, so that nothing of those can hold up a socket.

import { monitorEventLoopDelay } from 'node:perf_hooks';
import { type MessagePort, workerData } from 'node:worker_threads';
import { dataFiles } from '../../core/config.ts';
import { topics } from '../../core/records.ts';
import { Collector } from '../../ingest/collector/collector.ts';
import { EmbeddedStream } from '../../storage/stream/embedded/stream.ts';
import { ensureKey } from '../keys.ts';
import { inputMetrics } from './device-metrics.ts';
import { runThread } from './thread.ts';

const PAUSE_RESOLUTION_MS = 5;

await runThread('collector', async ({ data, logger, say }) => {
  const { config } = data;
  const files = dataFiles(config.dataDir);
  const { reader } = workerData as { reader: MessagePort };
  const stream = await EmbeddedStream.open({
    dir: files.stream,
    partitions: config.partitions,
    writes: [topics.raw],
  });
  let told = '';
  const collector = await Collector.start({
    config,
    stream,
    redactKey: Buffer.from(ensureKey(files.scrubKey).key),
    logger,
    now: Date.now,
    onDurable: (ends) => {
      if (told === ends.join()) return;
      told = ends.join();
      reader.postMessage(ends);
    },
  });
  // The drain says what needs no room any more; the pipeline says nothing.
  reader.on('message', (freed: Record<string, number>) => collector.intake.free(freed));
  say({
    type: 'ready',
    says: Object.fromEntries(collector.listeners.map((listener, i) => [`listener${i}`, listener.address])),
  });
  const { counters } = collector.intake;
  const pauses = monitorEventLoopDelay({ resolution: PAUSE_RESOLUTION_MS });
  pauses.enable();
  return {
    stop: async () => {
      await collector[Symbol.asyncDispose]();
      await stream[Symbol.asyncDispose]();
      reader.close();
    },
    hear: (message) => {
      if (message.type === 'answer') collector.intake.answer(message.answer);
    },
    metrics: () => ({
      sealwatch_collector_lines_total: counters.lines,
      sealwatch_collector_bytes_total: counters.bytes,
      sealwatch_collector_scrubbed_total: counters.scrubbed,
      sealwatch_collector_dropped_total: counters.dropped,
      sealwatch_collector_future_lines_total: counters.future,
      sealwatch_collector_queued_bytes: collector.intake.queued,
      sealwatch_collector_failing: collector.isFailing ? 1 : 0,
      ...inputMetrics(collector.intake, Date.now()),
      ...(config.stream === 'kafka' && { sealwatch_drain_lag_bytes: collector.intake.undrained }),
      // Since the start: as long as this a sender may have been held up, when its own buffer was full.
      sealwatch_collector_longest_pause_ms: Math.max(0, pauses.max / 1e6 - PAUSE_RESOLUTION_MS),
    }),
  };
});
