// Collections: `action: global` gives its attributes to the documents that follow, `reset` takes them away, `repeat` takes the
// document before. Source: Sigma specification 1, which rule files still use; pySigma reads them alike.

import { isMap } from '../../core/match/read.ts';
import type { StrictYaml } from '../../core/strict-yaml.ts';

type Value = Record<string, unknown>;

/** The documents of one file with what collections say put into each. Throws SealwatchError. */
export function collected(documents: StrictYaml[]): StrictYaml[] {
  const found: StrictYaml[] = [];
  let shared: Value = {};
  let before: Value | undefined;
  for (const { fault, value } of documents) {
    const { action, ...own } = value;
    if (action === 'global') shared = merged(shared, own);
    else if (action === 'reset') shared = {};
    else if (action === undefined || action === 'repeat') {
      if (action === 'repeat' && before === undefined)
        throw fault(['action'], 'repeat needs a rule before it');
      const whole = action === 'repeat' ? merged(before ?? {}, own) : merged(shared, own);
      before = whole;
      found.push({ fault, value: whole });
    } else throw fault(['action'], 'must be global, reset or repeat');
  }
  const [first] = documents;
  if (found.length === 0 && first !== undefined)
    throw first.fault([], 'holds no rule, only what rules share');
  return found;
}

/** `over` laid on `under`: maps are joined, anything else is replaced. */
function merged(under: Value, over: Value): Value {
  const result: Value = { ...under };
  for (const [key, value] of Object.entries(over)) {
    const there = result[key];
    result[key] = isMap(there) && isMap(value) ? merged(there, value) : value;
  }
  return result;
}
