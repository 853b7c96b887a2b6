// Events out of order, none further than some seconds behind one that came before it.

import type { AuditEvent } from '../../../core/event.ts';
import { msOf } from '../../../core/time.ts';

export function shuffle(
  events: readonly AuditEvent[],
  slackSeconds: number,
  random: () => number,
): AuditEvent[] {
  return events
    .map((event) => ({ event, at: msOf(event['@timestamp']) + random() * slackSeconds * 1000 }))
    .sort((a, b) => a.at - b.at)
    .map(({ event }) => event);
}
