// How Elasticsearch takes each member of our rows: strict, in the types of ECS. A new member of a row fails to compile here.

import type { Fact } from '../../../core/directory.ts';
import type { JsonObject } from '../../../core/event.ts';
import { limits } from '../../../core/limits.ts';
import type { IndexOffset } from '../../../core/ports.ts';
import type { QueryKind, Rows } from '../../../core/query.ts';
import {
  type CoverageCounter,
  type CoverageRow,
  coverageCounters,
  type HashPair,
  type NodeSeen,
  type Reject,
} from '../../../core/records.ts';
import { columnLists } from '../columns.ts';
import type { estypes } from './client.ts';
import { alerts, baselines, changes, events, facts, incidents, leases, triage } from './members.ts';
import type { SingleIndex } from './names.ts';

export type DocumentKind = 'events' | SingleIndex;

/** Free-form objects: their leaves are searched as texts. `kept` is not looked into at all. */
type Free = 'flattened' | 'kept';

/** How values of the type `T` can be mapped; of a list, each of its values. */
type Spec<T> = [T] extends [string]
  ? 'keyword' | 'text' | 'time' | 'ip'
  : [T] extends [number]
    ? 'long'
    : [T] extends [boolean]
      ? 'boolean'
      : T extends readonly (infer Item)[]
        ? Spec<Item>
        : string extends keyof T
          ? Free
          : number extends keyof T
            ? Free
            : Members<T>;

/** A spec for each member of `T`, the optional ones too. */
export type Members<T> = { [K in keyof T]-?: Spec<NonNullable<T[K]>> };

/** A fact's value depends on what it is about; it is free-form here. */
export type FactRow = Omit<Fact, 'value'> & { value: JsonObject };

/** Documents of the store's own kinds. */
export interface OwnRows {
  rejects: Reject;
  coverage: CoverageRow;
  nodes: NodeSeen;
  hashes: HashPair;
  offsets: IndexOffset;
}

const members: { [K in QueryKind]: Members<K extends 'facts' ? FactRow : Rows[K]> } & {
  [K in keyof OwnRows]: Members<OwnRows[K]>;
} = {
  ...{ events, alerts, leases, facts, incidents, triage, changes, baselines },
  rejects: {
    '@timestamp': 'time',
    bytes: 'long',
    device: 'keyword',
    hash: 'keyword',
    id: 'keyword',
    lines: 'long',
    reason: 'keyword',
  },
  coverage: {
    id: 'keyword',
    device: 'keyword',
    hour: 'time',
    partition: 'long',
    origin: 'keyword',
    revision: 'long',
    counts: Object.fromEntries(coverageCounters.map((counter) => [counter, 'long'])) as Record<
      CoverageCounter,
      'long'
    >,
  },
  nodes: { id: 'keyword', node: 'keyword', cluster: 'keyword', how: 'keyword', hour: 'time' },
  hashes: {
    id: 'keyword',
    what: 'keyword',
    ranked: { device: 'keyword', hash: 'keyword' },
    other: { device: 'keyword', hash: 'keyword' },
    at: 'time',
  },
  offsets: { topic: 'keyword', partition: 'long', next: 'long', sources: 'kept' },
};

const keyword = { type: 'keyword', ignore_above: limits.columnCharsMax } as const;

const leaves: Record<string, estypes.MappingProperty> = {
  keyword,
  text: { type: 'text', norms: false },
  // Ids of a time's text order it; this is for Kibana and for people.
  time: { type: 'date_nanos', ignore_malformed: true },
  ip: { type: 'ip', ignore_malformed: true },
  long: { type: 'long', ignore_malformed: true },
  boolean: { type: 'boolean', ignore_malformed: true },
  flattened: { type: 'flattened', ignore_above: limits.columnCharsMax, depth_limit: limits.nestingMax },
  kept: { type: 'object', enabled: false },
};

type AnySpec = string | { [member: string]: AnySpec };
type Properties = Record<string, estypes.MappingProperty>;

const propertiesOf = (spec: { [member: string]: AnySpec }): Properties =>
  Object.fromEntries(
    Object.entries(spec).map(([name, inner]) => [
      name,
      typeof inner === 'string' ? leafOf(inner) : { properties: propertiesOf(inner) },
    ]),
  );

function leafOf(name: string): estypes.MappingProperty {
  const leaf = leaves[name];
  if (leaf === undefined) throw new Error(`no mapping is called ${name}`);
  return leaf;
}

/** Numbers as JavaScript has them, so that both stores compare and tell them alike. */
const number = { type: 'double' } as const;

/** Of aggregations alone. */
const counted = { type: 'long', index: false } as const;

/** `row` of the store's own kinds: what the writer deletes and the reader asks and orders by. */
const ownColumns: { [K in keyof OwnRows]: Properties } = {
  rejects: { ts: keyword },
  coverage: { device: keyword, hour: keyword, part: number },
  nodes: { hour: keyword, node: keyword, how: keyword },
  hashes: { hashes: keyword },
  offsets: {},
};

/** What incidents are summed up from, and where the alert was before a late call moved it: those are made anew with it. */
const alertColumns: Properties = { severity: number, count: number, incidents_before: keyword };

const rowProperties = (kind: DocumentKind): Properties =>
  kind in ownColumns
    ? { id: keyword, ...ownColumns[kind as keyof OwnRows] }
    : {
        ...{ ts: keyword, span: counted, nanos: counted, id: keyword, revision: { type: 'long' } },
        ...Object.fromEntries(
          columnLists[kind as QueryKind].map(({ column, type }) => [
            column,
            type === 'integer' ? number : keyword,
          ]),
        ),
        ...(kind === 'alerts' && alertColumns),
      };

/** The mapping of an index of `kind`. */
export const mappingOf = (kind: DocumentKind): estypes.MappingTypeMapping => ({
  dynamic: 'strict',
  properties: {
    ...propertiesOf(members[kind]),
    row: { properties: rowProperties(kind) },
    body: { type: 'object', enabled: false },
  },
});
