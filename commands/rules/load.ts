// What sealwatch judges by: its own rules, the user's, and the lists; loaded as one, because each names the others.

import type { Config } from '../../core/config.ts';
import type { JsonObject } from '../../core/event.ts';
import { withPosture } from '../../core/lists/posture.ts';
import { type ListEntry, listEntries, listsOf, type ReadLists, readLists } from '../../core/lists/read.ts';
import { type Lists, noLists } from '../../core/lists.ts';
import type { Change } from '../../core/records.ts';
import { allBehaviours } from '../../detectors/behaviours/all.ts';
import { compileRules } from '../../detectors/engine/compile.ts';
import { idOf } from '../../detectors/engine/info.ts';
import { lostLinesRule } from '../../detectors/engine/lost.ts';
import { ownTrafficRule } from '../../detectors/engine/own.ts';
import type { RuleInfo } from '../../detectors/engine/rule.ts';
import { readVersion } from '../version.ts';
import { builtInDir, ownerOf, type RuleFile, readRuleFiles, readText, shownFile } from './read.ts';

/** Where the user's own are; `rules` of the configuration. */
export interface RuleSource {
  /** A folder of rules. */
  dir?: string | undefined;
  /** A lists file. */
  lists?: string | undefined;
  /** Folders and files of rules that stand alone: neither the built-in ones nor those of `dir` are read. */
  only?: readonly string[] | undefined;
  /** Bounds of the configuration, where the lists set none. */
  posture?: Config['posture'];
}

/** One rule or entry that is in force, as the record of changes keeps it. */
export interface InForce {
  what: Change['what'];
  key: string;
  body: JsonObject;
  who?: string;
  why?: string;
}

export type Rules = ReturnType<typeof compileRules>;

export interface Loaded {
  rules: Rules;
  lists: Lists;
  /** The lists as they are written. */
  read: ReadLists | undefined;
  inForce: InForce[];
  /** What is not wrong but most likely not meant: rules for another log, fields that events do not have. */
  notes: string[];
}

/** Throws SealwatchError: RULE_INVALID, also for an id twice, LISTS_INVALID or INPUT_UNREADABLE. */
export function load({ dir, lists: listsFile, only, posture }: RuleSource): Loaded {
  const notes: string[] = [];
  const note = (text: string) => void notes.push(text);
  const builtIn = only === undefined ? readRuleFiles(builtInDir, { note, strictPack: true }) : [];
  const own = (only ?? (dir === undefined ? [] : [dir])).flatMap((path) => readRuleFiles(path, { note }));
  const read = listsFile === undefined ? undefined : readLists(readText(listsFile), listsFile);
  const placeholders = read?.document.placeholders ?? {};
  const compiled = compileRules(
    [...builtIn, ...own].flatMap(({ rules }) => rules),
    { note, placeholders },
  );
  const catalogue = [...compiled.catalogue, ...otherDetections].sort((a, b) => (a.id < b.id ? -1 : 1));
  const rules = { ...compiled, catalogue };
  const lists = read === undefined ? noLists : listsOf(read, rules.catalogue);
  return {
    rules,
    notes,
    read,
    lists: posture === undefined ? lists : withPosture(lists, posture),
    inForce: [
      ...builtIn.flatMap((file) => rulesInForce(file, `sealwatch ${readVersion()}`)),
      ...otherDetections.map(detectionInForce),
      ...own.flatMap((file) => rulesInForce(file, ownerOf(file.file))),
      ...(read === undefined || listsFile === undefined ? [] : listsInForce(read, listsFile)),
    ],
  };
}

/** What is in the catalogue and is no Sigma rule. */
const otherDetections: RuleInfo[] = [lostLinesRule, ownTrafficRule, ...allBehaviours.map(({ info }) => info)];

function rulesInForce({ file, rules, why }: RuleFile, who: string | undefined): InForce[] {
  return rules.map(({ document }) => ({
    what: 'rule',
    key: idOf(document),
    body: JSON.parse(JSON.stringify({ file: shownFile(file), ...document })) as JsonObject,
    ...(who !== undefined && { who }),
    ...(why !== undefined && { why }),
  }));
}

const detectionInForce = (info: RuleInfo): InForce => ({
  what: 'rule',
  key: info.id,
  body: JSON.parse(JSON.stringify(info)) as JsonObject,
  who: `sealwatch ${readVersion()}`,
});

function listsInForce(read: ReadLists, file: string): InForce[] {
  const who = ownerOf(file);
  return listEntries(read).map((entry: ListEntry) => ({ ...entry, ...(who !== undefined && { who }) }));
}
