// What people do, from the API's thread to the stream that the pipeline's thread writes: asked and answered over a port.

import type { MessagePort } from 'node:worker_threads';
import type { JsonObject } from '../../core/event.ts';
import { limits } from '../../core/limits.ts';
import type { Recorder, Stream } from '../../core/ports.ts';
import { topics } from '../../core/records.ts';

/** Changes and triage stand on this one partition, in the order in which they were kept. */
const PARTITION = 0;

interface Asked {
  number: number;
  kind: 'change' | 'triage';
  value: JsonObject;
}

interface Answered {
  number: number;
  /** Absent: it is durable. */
  error?: string;
}

/** Appends to the stream. Rejects when the disk refuses; what it refused may still be written with what comes after it. */
export const streamRecorder = (stream: Stream): Recorder => ({
  record: async (kind, value) => {
    stream.append(topics.changes, PARTITION, [{ kind, value }]);
    await stream.flush();
  },
});

/** Answers what a `portRecorder` asks at the other end of `port`. */
export function answerRecords(port: MessagePort, recorder: Recorder): void {
  port.on('message', async ({ number, kind, value }: Asked) => {
    const answer: Answered = await recorder.record(kind, value).then(
      () => ({ number }),
      (error: unknown) => ({ number, error: String(error) }),
    );
    port.postMessage(answer);
  });
}

/** Rejects when the other end says so, or nothing within `limits.recordMs`. */
export function portRecorder(port: MessagePort): Recorder {
  const waiting = new Map<number, (error?: string) => void>();
  let number = 0;
  port.on('message', (answer: Answered) => waiting.get(answer.number)?.(answer.error));
  return {
    record: (kind, value) => {
      const asked: Asked = { number: ++number, kind, value };
      return new Promise((resolve, reject) => {
        const settle = (error?: string) => {
          clearTimeout(timer);
          waiting.delete(asked.number);
          if (error === undefined) resolve();
          else reject(new Error(error));
        };
        const timer = setTimeout(settle, limits.recordMs, 'the stream did not take it in time');
        waiting.set(asked.number, settle);
        port.postMessage(asked);
      });
    },
  };
}
