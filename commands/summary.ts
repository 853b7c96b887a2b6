// summary.json of a replay: what came in and what was made of it, in numbers that do not depend on the order of arrival.

import type { AuditEvent } from '../core/event.ts';
import type { CoverageRow } from '../core/records.ts';

export class Summary {
  /** The last state of each row of counts. */
  private readonly rows = new Map<string, CoverageRow>();
  private first: string | undefined;
  private last: string | undefined;

  event(event: AuditEvent): void {
    const time = event['@timestamp'];
    if (this.first === undefined || time < this.first) this.first = time;
    if (this.last === undefined || time > this.last) this.last = time;
  }

  coverage(row: CoverageRow): void {
    this.rows.set(row.id, row);
  }

  private devices(): Record<string, Record<string, number>> {
    const devices: Record<string, Record<string, number>> = {};
    for (const { device, counts } of this.rows.values()) {
      devices[device] ??= {};
      const totals = devices[device];
      for (const [counter, count] of Object.entries(counts)) totals[counter] = (totals[counter] ?? 0) + count;
    }
    return devices;
  }

  result(rows: { events: number; leases: number; alerts: number; rejects: number }): Record<string, unknown> {
    return {
      ...rows,
      devices: this.devices(),
      first_event: this.first,
      last_event: this.last,
    };
  }
}
