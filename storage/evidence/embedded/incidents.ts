// Incidents of the embedded store: made anew from the alerts of an id, in the transaction that writes these.

import { type Alert, levels } from '../../../core/alert.ts';
import { incidentOf } from '../../../core/incident.ts';
import { limits } from '../../../core/limits.ts';
import type { Database, Statement } from '../../sqlite.ts';
import { columnText } from './columns.ts';
import { putRow, upsertStatement } from './rows.ts';

const rank = `case level ${levels.map((level, i) => `when '${level}' then ${i}`).join(' ')} end`;
const count = "json_extract(body, '$.alert.count')";

/** Worst first, and with all that is summed up: so that an incident of very many alerts costs no more than one of a thousand. */
export const incidentIndex = `create index alerts_incident on alerts (incident_id, ${rank} desc, ts, id, revision, ${count});`;

export class IncidentRows {
  private readonly total: Statement;
  private readonly worst: Statement;
  private readonly put: Statement;

  constructor(database: Database) {
    this.total = database.prepare(
      `select count(*) as alerts, sum(revision) as revision, sum(${count}) as matches
        from alerts where incident_id = ?`,
    );
    this.worst = database.prepare(
      `select body from alerts where incident_id = ? order by ${rank} desc, ts, id limit ?`,
    );
    this.put = upsertStatement(database, 'incidents');
  }

  /** Its revision is the sum of those of its alerts: it grows with each, and is the same in whatever order they come. */
  refresh(id: string): void {
    const key = columnText(id);
    const { alerts, revision, matches } = this.total.get(key) as Record<
      'alerts' | 'revision' | 'matches',
      number
    >;
    if (alerts === 0) return;
    const rows = this.worst.all(key, limits.incidentAlertsMax) as { body: string }[];
    const incident = incidentOf(
      rows.map(({ body }) => JSON.parse(body) as Alert),
      { alerts, matches },
    );
    putRow(this.put, 'incidents', incident, { id, revision, text: JSON.stringify(incident) });
  }
}
