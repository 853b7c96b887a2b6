// summary.json of a replay: what came in and what was made of it, in numbers that do not depend on the order of arrival.

import type { AuditEvent } from '../core/event.ts';
import type { CoverageDelta } from '../core/records.ts';

export class Summary {
  private readonly devices = new Map<string, Record<string, number>>();
  private first: string | undefined;
  private last: string | undefined;

  event(event: AuditEvent): void {
    const time = event['@timestamp'];
    if (this.first === undefined || time < this.first) this.first = time;
    if (this.last === undefined || time > this.last) this.last = time;
  }

  coverage(delta: CoverageDelta): void {
    const totals = this.devices.get(delta.device) ?? {};
    for (const [counter, by] of Object.entries(delta.counts)) totals[counter] = (totals[counter] ?? 0) + by;
    this.devices.set(delta.device, totals);
  }

  result(rows: { events: number; leases: number; alerts: number; rejects: number }): Record<string, unknown> {
    return {
      ...rows,
      devices: Object.fromEntries(this.devices),
      first_event: this.first,
      last_event: this.last,
    };
  }
}
