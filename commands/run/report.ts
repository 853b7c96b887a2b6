// What the first thread knows of the others: their numbers in one, and whether the process does its work.

import { labelled, type Metrics, nameAndLabels } from '../../core/telemetry.ts';
import type { RunningThread } from './threads.ts';

export interface Readiness {
  ready: boolean;
  reasons: string[];
}

/** A thread reports each second; one that is silent this long does no work either. */
const SILENT_MS = 10_000;

/** Gauges that are 1 while something cannot be done, and what that is. */
const failures = {
  sealwatch_collector_failing: 'the spool cannot be written',
  sealwatch_pipeline_stream_failing: 'the stream cannot be written',
  sealwatch_pipeline_store_failing: 'the evidence store cannot be written',
  sealwatch_ledger_failing: 'the ledger cannot be written',
  sealwatch_pipeline_snapshots_failing: 'snapshots cannot be written',
  sealwatch_pipeline_loading_failing: 'what a stage knows cannot be loaded',
};

/** The same of what holds up nobody: Vault can write, another process does the work. */
const notes = {
  sealwatch_drain_failing: 'the stream cannot be written: lines wait in the spool',
  sealwatch_pipeline_detectors_failing: 'what a detector knows cannot be written',
};

/** Partitions that a stage works on. */
export const PARTITIONS_METRIC = 'sealwatch_stage_partitions';
/**
 * 1 when it is known which those are, and they are loaded. Where there are none then, other processes have them all; the stage works as
 * soon as one of those goes.
 */
export const ASSIGNED_METRIC = 'sealwatch_stage_assigned';

export const allMetrics = (threads: readonly RunningThread[], own: Metrics): Metrics =>
  Object.assign(residentMemory(), own, ...threads.map((thread) => thread.metrics)) as Metrics;

/** Where the system does not tell it (no /proc, no descriptor left) sealwatch goes on without the number. */
function residentMemory(): Metrics {
  try {
    return { sealwatch_resident_bytes: process.memoryUsage.rss() };
  } catch {
    return {};
  }
}

export function readiness(threads: readonly RunningThread[], metrics: Metrics): Readiness {
  const silent = threads
    .filter((thread) => Date.now() - thread.reportedMs > SILENT_MS)
    .map((thread) => `the ${thread.name} thread does not answer`);
  const failing = [...silent, ...those(failures, metrics)];
  return {
    ready: failing.length === 0,
    reasons: [...failing, ...those(notes, metrics), ...standingBy(metrics)],
  };
}

const those = (texts: Readonly<Record<string, string>>, metrics: Metrics): string[] =>
  Object.entries(texts).flatMap(([name, text]) => (metrics[name] === 1 ? [text] : []));

function standingBy(metrics: Metrics): string[] {
  return Object.entries(metrics).flatMap(([metric, value]) => {
    if (value !== 0 || !metric.startsWith(PARTITIONS_METRIC)) return [];
    const { stage = '' } = nameAndLabels(metric).labels;
    return metrics[labelled(ASSIGNED_METRIC, { stage })] === 1
      ? [`${stage} stands by: other processes have its partitions`]
      : [`${stage} waits for its partitions: they are shared out or loaded, or Kafka is away`];
  });
}
