// Where the rows of the embedded store came from.

import type { IndexOffset } from '../../../core/ports.ts';
import type { Topic } from '../../../core/records.ts';
import type { Database } from '../../sqlite.ts';

export function readOffsets(database: Database): IndexOffset[] {
  const rows = database.prepare('select * from offsets order by topic, part').all() as Row[];
  return rows.map(({ topic, part, next, sources }) => ({
    topic: topic as Topic,
    partition: part,
    next,
    ...(sources !== null && { sources: JSON.parse(sources) as Record<number, string> }),
  }));
}

interface Row {
  topic: string;
  part: number;
  next: number;
  sources: string | null;
}
