// GET /v1/changes: who changed what sealwatch judges by, when and why, with the state before and after.

import { z } from 'zod';
import type { EvidenceReader } from '../../core/ports.ts';
import type { Change } from '../../core/records.ts';
import type { App } from '../bare-app.ts';
import { type Filters, listPage } from '../list.ts';
import { documented, inOrder, listOf, paging, period, problems, toNotAfterFrom } from '../schemas.ts';
import { filterText } from './rows.ts';

const filters = {
  what: { field: 'what', op: 'eq' },
  key: { field: 'key', op: 'eq' },
  who: { field: 'who', op: 'eq' },
} as const satisfies Filters<'changes'>;

const whats = ['rule', 'allow', 'maintenance', 'threshold', 'class', 'placeholder', 'setting'] as const;
const state = z.record(z.string(), z.unknown()).optional();

const changeSchema = documented<Change>(
  z.looseObject({
    id: z.string(),
    at: z.string().meta({ description: 'when sealwatch saw it' }),
    what: z.enum(whats),
    key: z.string().meta({ description: 'id of the rule, or name of the entry' }),
    who: z.string().optional().meta({ description: 'absent when nobody can tell' }),
    why: z.string().optional(),
    before: state.meta({ description: 'absent: it was not there' }),
    after: state.meta({ description: 'absent: it is gone' }),
  }),
  'A change of what sealwatch judges by',
);

export function addChanges(app: App, reader: EvidenceReader): void {
  const querystring = z
    .strictObject({
      from: period.from.meta({ description: 'time at which it was seen, inclusive' }),
      to: period.to.meta({ description: 'time at which it was seen, exclusive' }),
      ...paging,
      what: z.enum(whats).optional(),
      key: filterText,
      who: filterText,
    })
    .refine(inOrder, toNotAfterFrom);
  app.get(
    '/v1/changes',
    {
      config: { area: 'changes' },
      schema: {
        summary: 'Changes of rules and lists: who, what, why, before, after',
        querystring,
        response: { 200: listOf(changeSchema), ...problems },
      },
    },
    ({ query }) => listPage(reader, 'changes', query, filters),
  );
}
