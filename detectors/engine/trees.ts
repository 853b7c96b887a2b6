// Trees of rules: what raises alerts, with everything below it, and which fields of each event decide where it is counted.

import type { AuditEvent } from '../../core/event.ts';
import { fieldReader } from '../../core/match/fields.ts';
import { keyOf } from '../../core/match/key.ts';
import { shortHash } from './alert.ts';
import type { Node } from './correlation.ts';
import type { Correlation, Root } from './rule-set.ts';

type Nodes = ReadonlyMap<string, Node>;

/** The tree under `top`. Inner groups are widened by the fields of the groups around them. */
export function rootOf(top: Node, all: Nodes): Root {
  const nodes = new Map<string, Node>([[top.id, top]]);
  widen(top, all, nodes);
  const leaves = [...nodes.values()].filter(({ kind }) => kind === 'event').map(({ id }) => id);
  const shell = { top, nodes, leaves, isLocal: false, needs: {}, logic: '' };
  return {
    ...shell,
    isLocal: leaves.every((leaf) => groupFields(shell, leaf).includes('user.id')),
    needs: Object.fromEntries(leaves.map((leaf) => [leaf, needsOf(shell, leaf)])),
    logic: logicOf(shell),
  };
}

function widen(outer: Node, all: Nodes, nodes: Map<string, Node>): void {
  if (outer.kind === 'event') return;
  for (const id of outer.rules) {
    const known = nodes.get(id) ?? (all.get(id) as Node);
    if (known.kind === 'event') {
      nodes.set(id, known);
      continue;
    }
    const around = outer.groupBy.map((name) => outer.aliases[name]?.[id] ?? name);
    const missing = around.filter((name) => !known.groupBy.includes(name));
    const inner = missing.length === 0 ? known : { ...known, groupBy: [...known.groupBy, ...missing] };
    nodes.set(id, inner);
    widen(inner, all, nodes);
  }
}

/**
 * The field of an event of `leaf` that `name` stands for in the correlation `id`: an alias for it, or for the correlation
 * on the way to it, else the name itself.
 */
export function fieldOf(nodes: Nodes, id: string, name: string, leaf: string): string {
  const node = nodes.get(id);
  if (node === undefined || node.kind === 'event') return name;
  const alias = node.aliases[name];
  const direct = alias?.[leaf];
  if (direct !== undefined) return direct;
  const child = node.rules.find((one) => one === leaf) ?? node.rules.find((one) => reaches(nodes, one, leaf));
  return child === undefined ? name : fieldOf(nodes, child, alias?.[child] ?? name, leaf);
}

function reaches(nodes: Nodes, from: string, leaf: string): boolean {
  const node = nodes.get(from);
  return node?.kind === 'correlation' && node.rules.some((one) => one === leaf || reaches(nodes, one, leaf));
}

type Shape = Pick<Root, 'top' | 'nodes'>;

/** Fields of an event of `leaf` that make the group of the tree. */
const groupFields = ({ top, nodes }: Shape, leaf: string): string[] =>
  top.groupBy.map((name) => fieldOf(nodes, top.id, name, leaf));

function needsOf({ top, nodes }: Shape, leaf: string): string[] {
  const needed = new Set<string>();
  for (const node of nodes.values()) {
    if (node.kind === 'event' || !reaches(nodes, node.id, leaf)) continue;
    const names = node.id === top.id ? node.fields : [...node.groupBy, ...node.fields];
    for (const name of names) needed.add(fieldOf(nodes, node.id, name, leaf));
  }
  return [...needed].sort();
}

/** What counts, and nothing of what is only said: titles, levels and messages may change without losing state. */
function logicOf({ top, nodes }: Shape): string {
  const parts = [...nodes.values()].map((node) =>
    node.kind === 'event' ? [node.id, node.groupBy, keyOf(node.expr)] : countingOf(node),
  );
  return shortHash(top.id, JSON.stringify(parts));
}

const countingOf = (node: Correlation): unknown[] => [
  ...[
    node.id,
    node.type,
    node.rules,
    node.bounds,
    node.presence ?? null,
    node.fields,
    node.percentile ?? null,
  ],
  ...[node.aliases, node.groupBy, node.timespanSeconds],
];

type Reader = (event: object) => string | undefined;
const readers = new WeakMap<Root, Map<string, Reader[]>>();

/**
 * The values of the tree's group in an event that `leaf` matched, as JSON. Undefined when the tree is a correlation and one
 * of them is absent: such an event is not counted. A single rule takes what is absent as null, so that it always alerts.
 */
export function groupOf(root: Root, leaf: string, event: AuditEvent): string | undefined {
  const values = readersOf(root, leaf).map((read) => read(event) ?? null);
  return root.top.kind === 'event' || !values.includes(null) ? JSON.stringify(values) : undefined;
}

function readersOf(root: Root, leaf: string): Reader[] {
  const known = readers.get(root) ?? new Map<string, Reader[]>();
  const found = known.get(leaf) ?? groupFields(root, leaf).map(fieldReader);
  known.set(leaf, found);
  readers.set(root, known);
  return found;
}
