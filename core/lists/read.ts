// Reads a lists file: strictly, so that no slip of the pen silences anything, or nothing.

import { createHash } from 'node:crypto';
import { canonicalJson } from '../canonical.ts';
import type { JsonObject } from '../event.ts';
import { limits } from '../limits.ts';
import type { Lists } from '../lists.ts';
import { readFilter } from '../match/filter.ts';
import { type Predicate, predicateOf } from '../match/predicate.ts';
import type { Change } from '../records.ts';
import { checked, type Fault, meant, readStrictYaml } from '../strict-yaml.ts';
import { judge } from './judge.ts';
import { type ListsDocument, listsSchema } from './schema.ts';

/** What a list may name: a rule, a correlation or a behaviour. */
export interface Nameable {
  id: string;
  name?: string;
  title?: string;
  /** Of a behaviour: what may be set. */
  settings?: string[];
}

/** A lists file as it was read; the rules that it names are not looked for yet, because rules need its placeholders first. */
export interface ReadLists {
  document: ListsDocument;
  fault: Fault;
  predicates: { allow: Predicate[]; maintenance: (Predicate | undefined)[]; classes: Predicate[] };
}

/** An entry of a list, as it stands in the record of changes. */
export interface ListEntry {
  what: Exclude<Change['what'], 'rule'>;
  key: string;
  body: JsonObject;
  why?: string;
}

export const callerKinds = ['human', 'workload', 'root', 'anonymous', 'unknown'] as const;
const EVERY_RULE = '*';
const yamlOptions = {
  code: 'LISTS_INVALID',
  advice: 'Mend the lists file; docs/detections/living-with-rules.md shows what it may hold',
  bytesMax: limits.listsBytesMax,
} as const;

/** @param file name for messages. Throws SealwatchError LISTS_INVALID. */
export function readLists(text: string, file: string): ReadLists {
  const yaml = readStrictYaml(text, file, yamlOptions);
  const { fault } = yaml;
  const document = checked(listsSchema, yaml);
  refuseTwice(document, fault);
  refuseUnknownClasses(document, fault);
  const compiled = (list: 'allow' | 'maintenance' | 'classes') => (entry: { match?: unknown }, i: number) =>
    compile(entry.match, [list, i, 'match'], { fault, document });
  return {
    document,
    fault,
    predicates: {
      allow: document.allow.map(compiled('allow')),
      maintenance: document.maintenance.map((entry, i) =>
        entry.match === undefined ? undefined : compiled('maintenance')(entry, i),
      ),
      classes: document.classes.map(compiled('classes')),
    },
  };
}

/** May use the placeholders of the same file: `user.name|expand: '%admins%'`. */
function compile(
  match: unknown,
  path: PropertyKey[],
  { fault, document: { placeholders } }: { fault: Fault; document: ListsDocument },
): Predicate {
  try {
    return predicateOf(readFilter(match, { placeholders }));
  } catch (error) {
    throw fault(path, error instanceof Error ? error.message : String(error));
  }
}

function refuseTwice(document: ListsDocument, fault: Fault): void {
  const keys: [string, PropertyKey[]][] = [
    ...(['allow', 'maintenance', 'classes'] as const).flatMap((list) =>
      document[list].map(({ name }, i): [string, PropertyKey[]] => [`${list} ${name}`, [list, i, 'name']]),
    ),
    ...document.thresholds.map((one, i): [string, PropertyKey[]] => [
      `thresholds ${one.rule} ${one.class}`,
      ['thresholds', i],
    ]),
    ...document.settings.map((one, i): [string, PropertyKey[]] => [settingKey(one), ['settings', i]]),
  ];
  const seen = new Set<string>();
  for (const [key, path] of keys) {
    if (seen.has(key)) throw fault(path, 'stands twice');
    seen.add(key);
  }
}

const settingKey = (one: { behaviour: string; class?: string | undefined }): string =>
  one.class === undefined ? one.behaviour : `${one.behaviour} / ${one.class}`;

function refuseUnknownClasses(document: ListsDocument, fault: Fault): void {
  const known = [...document.classes.map(({ name }) => name), ...callerKinds];
  for (const list of ['thresholds', 'settings'] as const)
    for (const [i, entry] of document[list].entries())
      if (entry.class !== undefined && !known.includes(entry.class))
        throw fault([list, i, 'class'], `there is no class ${entry.class}${meant(entry.class, known)}`);
}

/** The lists, over the rules that are there. Throws SealwatchError LISTS_INVALID when one names a rule that is not. */
export function listsOf({ document, fault, predicates }: ReadLists, catalogue: readonly Nameable[]): Lists {
  const names = catalogue
    .flatMap(({ id, name, title }) => [name, title, id])
    .filter((one) => one !== undefined);
  const idOf = (word: string, path: PropertyKey[]): string => {
    if (word === EVERY_RULE) return word;
    const found = catalogue.find(({ id, name, title }) => id === word || name === word || title === word);
    if (found !== undefined) return found.id;
    throw fault(path, `there is no rule or behaviour ${word}${meant(word, names)}`);
  };
  const idsOf = (rules: string[] | undefined, path: PropertyKey[]): string[] =>
    rules?.map((word, i) => idOf(word, [...path, 'rules', i])) ?? [EVERY_RULE];
  // Behaviours ask by their short name.
  const settings = document.settings.map((one, i) => {
    const id = idOf(one.behaviour, ['settings', i, 'behaviour']);
    const named = catalogue.find((rule) => rule.id === id);
    refuseUnknownSettings(one, named?.settings ?? [], (key, what) => fault(['settings', i, key], what));
    return { ...one, behaviour: named?.name ?? one.behaviour };
  });
  return judge({
    version: createHash('sha256').update(canonicalJson(document)).digest('hex').slice(0, 32),
    silences: [
      ...document.allow.map(({ name, rules, until }, i) => ({
        kind: 'allow' as const,
        ...{ name, rules: idsOf(rules, ['allow', i]), from: '', to: until },
        matches: predicates.allow[i] as Predicate,
      })),
      ...document.maintenance.map(({ name, rules, from, to }, i) => ({
        kind: 'maintenance' as const,
        ...{ name, rules: idsOf(rules, ['maintenance', i]), from, to },
        matches: predicates.maintenance[i] ?? (() => true),
      })),
    ],
    classes: document.classes.map(({ name }, i) => ({ name, matches: predicates.classes[i] as Predicate })),
    thresholds: document.thresholds.map((one, i) => ({
      ...one,
      rule: idOf(one.rule, ['thresholds', i, 'rule']),
    })),
    settings,
    placeholders: document.placeholders,
    texts: document.texts,
  });
}

/** A setting that nothing asks for would be set in vain, and silently. */
function refuseUnknownSettings(
  { behaviour, class: _, reason: __, ...set }: ListsDocument['settings'][number],
  known: string[],
  fault: (key: string, what: string) => Error,
): void {
  const stranger = Object.keys(set).find((key) => !known.includes(key));
  if (stranger === undefined) return;
  const has = known.length === 0 ? 'nothing that could be set' : `the settings ${known.join(', ')}`;
  throw fault(stranger, `${behaviour} has ${has}${meant(stranger, known)}`);
}

/** Every entry by itself, for the record of changes. */
export function listEntries({ document }: ReadLists): ListEntry[] {
  const entry = (
    what: ListEntry['what'],
    key: string,
    body: { reason?: string | undefined; [key: string]: unknown },
  ) => ({
    ...{ what, key, body: JSON.parse(canonicalJson(body)) as JsonObject },
    ...(body.reason === undefined ? {} : { why: body.reason }),
  });
  return [
    ...document.allow.map((one) => entry('allow', one.name, one)),
    ...document.maintenance.map((one) => entry('maintenance', one.name, one)),
    // The first class that matches holds: which stands before it is part of what a class is.
    ...document.classes.map((one, i) =>
      entry('class', one.name, { ...one, after: document.classes[i - 1]?.name }),
    ),
    ...document.thresholds.map((one) => entry('threshold', `${one.rule} / ${one.class}`, one)),
    ...document.settings.map((one) => entry('setting', settingKey(one), one)),
    ...Object.entries(document.placeholders).map(([key, words]) => entry('placeholder', key, { words })),
    ...Object.entries(document.texts).flatMap(([key, texts]) =>
      texts.length === 0 ? [] : [entry('setting', key, { texts })],
    ),
  ];
}
