// What the catalogue says of a rule: its document, with what other people's rules may leave out filled in.

import { createHash } from 'node:crypto';
import type { RuleInfo } from './rule.ts';
import type { CorrelationDocument, RuleDocument } from './sigma-schema.ts';
import { techniqueOf } from './sigma-schema.ts';

type Document = (CorrelationDocument | RuleDocument) & { id: string };
type Counting = Pick<RuleInfo, 'alerts' | 'groupBy' | 'threshold' | 'timespanSeconds'>;

/** Catalogue entry of `document`. Level `medium` and status `experimental` where none is given. */
export function infoOf(document: Document, file: string, counting: Counting): RuleInfo {
  return {
    ...counting,
    description: document.description ?? document.title,
    falsePositives: document.falsepositives ?? [],
    file,
    id: document.id,
    level: document.level ?? 'medium',
    ...(document.name === undefined ? {} : { name: document.name }),
    references: document.references ?? [],
    runbook:
      document.runbook ?? 'Nobody wrote one for this rule: look at the call and ask the named identity.',
    status: document.status ?? 'experimental',
    techniques: (document.tags ?? [])
      .map(techniqueOf)
      .filter((one) => one !== undefined)
      .sort(),
    title: document.title,
    version: document.version ?? document.modified ?? '1',
  };
}

/** The rule's id; of a rule without one the hash of its name and title in the form of one, so that it stays the same. */
export function idOf(document: {
  id?: string | undefined;
  name?: string | undefined;
  title: string;
}): string {
  if (document.id !== undefined) return document.id;
  const hash = createHash('sha256')
    .update(JSON.stringify([document.name ?? null, document.title]))
    .digest('hex');
  return [
    hash.slice(0, 8),
    hash.slice(8, 12),
    hash.slice(12, 16),
    hash.slice(16, 20),
    hash.slice(20, 32),
  ].join('-');
}

/** The sentence of an alert: the rule's own, else its title with who and what. Braces of a title are no fields. */
export const messageOf = (document: Document): string =>
  document.message ??
  `${document.title.replace(/[{}]/g, '')}: {user.name}, {vault.request.operation} on {vault.request.path}`;
