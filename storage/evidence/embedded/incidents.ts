// Incidents of the embedded store: made anew from the alerts of an id, in the transaction that writes these.

import { type Alert, levels } from '../../../core/alert.ts';
import { incidentOf } from '../../../core/incident.ts';
import { limits } from '../../../core/limits.ts';
import type { Database, Statement } from '../../sqlite.ts';
import { columnText, plainText } from '../columns.ts';
import { putRow, upsertStatement } from './rows.ts';

const rank = `case level ${levels.map((level, i) => `when '${level}' then ${i}`).join(' ')} end`;
const count = "json_extract(body, '$.alert.count')";

/** Worst first, and with all that is summed up: so that an incident of very many alerts costs no more than one of a thousand. */
export const incidentIndex = `create index alerts_incident on alerts (incident_id, ${rank} desc, ts, id, revision, ${count});`;

export class IncidentRows {
  private readonly total: Statement;
  private readonly worst: Statement;
  private readonly put: Statement;
  private readonly remove: Statement;
  private readonly before: Statement;

  constructor(database: Database) {
    this.total = database.prepare(
      `select count(*) as alerts, sum(revision) as revision, sum(${count}) as matches
        from alerts where incident_id = ?`,
    );
    this.worst = database.prepare(
      `select body from alerts where incident_id = ? order by ${rank} desc, ts, id limit ?`,
    );
    this.put = upsertStatement(database, 'incidents');
    this.remove = database.prepare('delete from incidents where id = ?');
    this.before = database.prepare('select incident_id as id from alerts where id = ?');
  }

  /** The incident that holds the alert now: a late call may give the alert another first call, and so another incident. */
  of(alertId: string): string | undefined {
    return (this.before.get(plainText(alertId)) as { id: string } | undefined)?.id;
  }

  /** Made anew as a whole; without alerts it is gone. Its revision is the sum of those of its alerts, the same in any order. */
  refresh(id: string): void {
    const key = columnText(id);
    this.remove.run(plainText(id));
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
