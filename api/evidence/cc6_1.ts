// SOC2 CC6.1: who could and who did read which secrets. One query, with what it does not show beside it.

import { createHash } from 'node:crypto';
import { canonicalJson } from '../../core/canonical.ts';
import type { Clause } from '../../core/query.ts';
import { timeOfMs } from '../../core/time.ts';
import type { ApiKey } from '../auth.ts';
import { coverageOf } from '../coverage.ts';
import type { ApiOptions } from '../options.ts';
import { couldOf } from './could.ts';
import { limitsOf } from './limits.ts';
import {
  answeredPairs,
  exceptionRows,
  exceptionTests,
  isRead,
  NO_DATA,
  populationOf,
  readActions,
  readCells,
} from './reads.ts';
import { type Answer, type Definition, type ExceptionKind, exceptionKinds } from './schemas.ts';

const exceptionTitles: Record<ExceptionKind, string> = {
  denied: 'Calls that were refused or failed: no secret was given out',
  root: 'Calls with a root token',
  anonymous: 'Calls without a token',
  unknown_caller: 'Calls whose caller the log does not tell',
  no_data: 'Calls that were allowed and found nothing: no secret was given out',
  half_pair: 'Calls of which only the request or only the response was seen, or whose outcome is not known',
};

export const definition: Definition = {
  control: 'CC6.1',
  version: '2',
  title: 'Who could and who did read which secrets',
  question:
    'Show me every person and workload that could read a secret, every one that did in the period (which secret, how often, when first and last, and from where), and every one that could and did not.',
  population:
    'One row per identity, secret and action, of all successful calls that gave out a secret (a stored secret was read, or a credential was issued, read or checked out) and whose answer was seen in the audit log.',
  exceptions: exceptionTitles,
  parameters: {
    from: 'begin of the period, event time, inclusive',
    to: 'end of the period, event time, exclusive',
    secret_prefix: 'only secrets whose path (namespace, mount, logical path) begins with this; optional',
  },
  how_to_read: [
    'totals.reads is the sum of the rows, and reconcile.count_of_events the same number by a query of its own.',
    'Exceptions of the kinds root, anonymous, unknown_caller and half_pair can also be rows of the population: those reads did happen. Calls of the kinds denied and no_data never are.',
    'Names, roles and policies are those of the last read of the row (example_event_id); names and auth_methods list all that were seen.',
    'Lists of names, methods and addresses show at most 20 values, the lowest first.',
    'To trace a row: GET /v1/events/{example_event_id}, or /v1/events with user, secret and action.',
    'A response that was wrapped counts for who asked for it; who unwrapped it is a call of its own.',
    'could has one row per identity or role and secret: who could read it when the period ended (access.at), by the policies, groups, roles and entities known then and the tokens that were alive. did in the row is what it read in the period.',
    'granted_unused has the rows of could without a read in the period. A role counts as used when somebody who held a token of it in the period did read.',
    'An identity of the population without a row in could has lost its access since, or what is known does not show it: see access.not_evaluated. GET /v1/access answers for any other time.',
    'Each row of could names in facts what it rests on; access.facts says of each since when it is so, and which event or answer of Vault says it.',
  ],
  does_not_show: [
    'Who could read between the begin and the end of the period and no longer at its end, and secrets that no call in the log ever read or wrote.',
    'Who could read by what is not evaluated (access.not_evaluated), by Sentinel policies, or by first giving themselves a policy, a group or a copy of the storage.',
    'What a reader did with the secret afterwards, and reads from copies outside of Vault, such as the cache of a Vault Agent or Proxy, a backup or an environment variable.',
    'Certificates, tokens, and keys of the transit engine: these are issued or used by calls of other actions.',
    'The value of any secret.',
  ],
  references: ['AICPA TSC CC6.1', 'HashiCorp Vault audit devices', 'NIST SP 800-53 AU-2, AU-12'],
};

interface Asked {
  from: string;
  to: string;
  secret_prefix?: string | undefined;
}

/** Tries until two queries over a store that is being written to agree. */
const RECONCILE_TRIES = 3;

export async function answer(options: ApiOptions, asked: Asked, key: ApiKey): Promise<Answer> {
  const { reader, cluster, version } = options;
  const { from, to } = asked;
  // First: what it says of how far event time has come then holds of all that is counted.
  const extent = await reader.extent();
  const counted = await countedCells(options, asked);
  const { cells, complete: whole } = counted;
  const population = await populationOf(reader, cells.filter(isRead));
  const exceptions = exceptionKinds.map((kind) => {
    const rows = exceptionRows(cells.filter(exceptionTests[kind]));
    return { kind, title: exceptionTitles[kind], calls: rows.reduce((sum, row) => sum + row.calls, 0), rows };
  });
  const access = await couldOf(options, asked, population);
  const { coverage } = await coverageOf(options, from, to);
  const reads = population.reduce((sum, row) => sum + row.reads, 0);
  const reconcile = {
    sum_of_rows: reads,
    count_of_events: counted.events,
    equal: reads === counted.events,
  };
  const parameters = parametersOf(asked);
  const missing = limitsOf({
    period: { from, to },
    extent,
    coverage,
    reconcile,
    whole,
    access: access.access,
  });
  return {
    control: definition.control,
    definition,
    period: { from, to },
    generated_at: timeOfMs(options.now().getTime()),
    requested_by: { key: key.name, role: key.role },
    parameters,
    query_sha256: sha256(
      canonicalJson({ control: definition.control, version: definition.version, parameters }),
    ),
    source: { cluster, product: 'sealwatch', version },
    coverage,
    totals: {
      rows: population.length,
      reads,
      callers: new Set(population.map((row) => row.who.id)).size,
      secrets: new Set(population.flatMap((row) => row.secret ?? [])).size,
      exceptions: exceptions.reduce((sum, { rows }) => sum + rows.length, 0),
    },
    reconcile,
    population,
    ...access,
    exceptions,
    limits: missing.sentences,
    complete: missing.complete,
  };
}

const scopeOf = ({ secret_prefix: prefix }: Asked): Clause<'events'>[] => [
  { field: 'event.action', op: 'in', value: [...readActions] },
  ...(prefix === undefined
    ? []
    : [{ field: 'vault.secret.path' as const, op: 'prefix' as const, value: prefix }]),
];

/** The cells, and the number of reads by a query of its own. The store may take in events between the two: then again. */
async function countedCells({ reader }: ApiOptions, asked: Asked) {
  const { from, to } = asked;
  const where = scopeOf(asked);
  for (let tries = 1; ; tries++) {
    const found = await readCells(reader, { from, to }, where);
    const answered: Clause<'events'>[] = [
      ...where,
      { field: 'event.outcome', op: 'eq', value: 'success' },
      { field: 'vault.pair', op: 'in', value: [...answeredPairs] },
    ];
    const empty: Clause<'events'> = { field: 'event.reason', op: 'eq', value: NO_DATA };
    const events =
      (await reader.count('events', { from, to, where: answered })) -
      (await reader.count('events', { from, to, where: [...answered, empty] }));
    const sum = found.cells.filter(isRead).reduce((total, { group }) => total + group.n, 0);
    if (sum === events || !found.complete || tries === RECONCILE_TRIES) return { ...found, events };
  }
}

const parametersOf = ({ from, to, secret_prefix: prefix }: Asked): Answer['parameters'] => ({
  from,
  to,
  ...(prefix !== undefined && { secret_prefix: prefix }),
  actions: [...readActions],
});

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
