// The rules and behaviours as the API shows them: what each is, and whether it is on.

import { basename } from 'node:path';
import type { RuleInfo as ShownRule } from '../../api/options.ts';
import type { Lists } from '../../core/lists.ts';
import { type Metrics, nameAndLabels } from '../../core/telemetry.ts';
import { allBehaviours } from '../../detectors/behaviours/all.ts';
import type { Lesson } from '../../detectors/behaviours/learning.ts';
import type { Loaded, RuleSource } from '../rules/load.ts';
import { typesOf } from '../rules.ts';
import { lookAt } from './reload.ts';

/** Gauge with the label `rule`: 1 while a rule or behaviour is switched off, because it threw. */
export const OFF_METRIC = 'sealwatch_detect_off';

/** By id. */
export function shownRules({ rules, lists }: Pick<Loaded, 'rules' | 'lists'>): ShownRule[] {
  const types = typesOf(rules);
  const lessons = new Map(allBehaviours.map(({ info, lesson }) => [info.id, lesson]));
  return rules.catalogue.map((rule) => {
    const { id, title, level, version, description, techniques, groupBy } = rule;
    const learning = learningOf(lessons.get(id), lists);
    return {
      ...{ id, title, level, version, description, techniques },
      type: types.get(id) ?? 'behaviour',
      groups: groupBy,
      // The folder is this machine's.
      file: basename(rule.file),
      ...(learning !== undefined && { learning }),
    };
  });
}

/** What the lists say of all classes is in it; a class may have its own. */
function learningOf(lesson: Lesson | undefined, { setting }: Lists): string | undefined {
  if (lesson === undefined) return undefined;
  const { behaviour, days, activeDays } = lesson;
  const known = setting(behaviour, 'learningDays', '', days);
  const active = setting(behaviour, 'learningActiveDays', '', activeDays);
  return `learns what is usual for ${daysOf(known)}, with calls that count on ${active} of them, before it speaks; failed and unauthenticated calls teach nothing`;
}

const daysOf = (days: number): string => (days === 1 ? '1 day' : `${days} days`);

/** Ids of what the pipeline's thread has switched off, by what it measures. */
export function switchedOff(metrics: Metrics): Set<string> {
  const off = new Set<string>();
  for (const [metric, value] of Object.entries(metrics)) {
    if (value !== 1 || !metric.startsWith(OFF_METRIC)) continue;
    off.add(nameAndLabels(metric).labels['rule'] ?? '');
  }
  return off;
}

/** The rules with those off that are; `off` undefined: nobody here knows. */
export const withStates = (rules: readonly ShownRule[], off: ReadonlySet<string> | undefined): ShownRule[] =>
  off === undefined
    ? [...rules]
    : rules.map((rule) =>
        off.has(rule.id)
          ? { ...rule, enabled: false, why: 'it threw an error; the alert of it says which' }
          : { ...rule, enabled: true },
      );

/** Calls back when the rules folder or the lists file has another content, which stands still. */
export function followRules(source: RuleSource, onChange: () => void): Disposable {
  let seen = lookAt(source);
  let last = seen;
  const timer = setInterval(() => {
    const look = lookAt(source, last);
    const isStill = look.files === last.files;
    last = look;
    if (look.content === seen.content || !isStill) return;
    seen = look;
    onChange();
  }, RULES_LOOK_MS);
  timer.unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

const RULES_LOOK_MS = 2_000;
