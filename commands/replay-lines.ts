// A few audit lines to events, for rule cases and tests: the real scrub, scan and normaliser, nothing else.

import { recordedDevice } from '../core/devices.ts';
import type { AuditEvent } from '../core/event.ts';
import { noRules } from '../detectors/engine/rule-set.ts';
import { Redactor } from '../ingest/collector/redact.ts';
import { Chain } from './chain.ts';

/** Events of `lines` in order of (time, id), the last version of each. With `socket`, its lines, `lines` are a file device's. */
export function normaliseLines(lines: string[], socket: string[] = []): AuditEvent[] {
  const events = new Map<string, AuditEvent>();
  const chain = new Chain({
    cluster: 'vault',
    devices:
      socket.length === 0
        ? [recordedDevice('file')]
        : [{ ...recordedDevice('file'), isFile: true }, recordedDevice('socket')],
    partitions: 1,
    time: { pairWaitSeconds: 6, allowedLatenessSeconds: 3, dedupeSeconds: 600 },
    rules: noRules,
    redactor: new Redactor(Buffer.alloc(32)),
    sink: {
      event: (event) => events.set(event.event.id, event),
      lease: () => {},
      fact: () => {},
      reject: () => {},
      coverage: () => {},
      hashes: () => {},
      node: () => {},
      alerts: () => {},
      watermark: () => {},
    },
  });
  for (const [device, shown] of Object.entries({ file: lines, socket })) {
    chain.push(device, Buffer.from(`${shown.join('\n')}\n`));
    chain.finishDevice(device);
  }
  chain.finish();
  const key = (event: AuditEvent) => event['@timestamp'] + event.event.id;
  return [...events.values()].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}
