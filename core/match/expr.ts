// A condition on an event, as data: what Sigma's selections, output filters and the API's search are read into, and what one
// program runs for all rules together (detectors/engine/program).

import type { Pattern } from './text.ts';

export type Expr =
  | { kind: 'all' | 'any'; parts: Expr[] }
  | { kind: 'not'; part: Expr }
  /** `test` of the field at the dotted name: for any element where a list is met; absent and empty lists are `undefined`. */
  | { kind: 'field'; field: string; test: Test }
  /** A keyword: `test` of any text of the event, however deep. */
  | { kind: 'anywhere'; test: Test }
  | { kind: 'always'; value: boolean };

export type Comparison = 'gt' | 'gte' | 'lt' | 'lte';

/** What is asked of one value. Numbers and booleans are compared with text as they print. */
export type Test =
  | { kind: 'text'; pattern: Pattern; cased: boolean }
  /** Sigma's `null`: absent, or null. */
  | { kind: 'null' }
  | { kind: 'exists'; wanted: boolean }
  | { kind: 'number'; comparison: Comparison; value: number }
  | { kind: 'regex'; source: string; flags: string }
  | { kind: 'cidr'; range: string }
  /** `fieldref`: the value of another field of the same event. */
  | { kind: 'field'; field: string; place: 'whole' | 'contains' | 'startswith' | 'endswith'; cased: boolean }
  /** `hour`, `day`, ...: a part of a time, in UTC. */
  | {
      kind: 'time';
      part: 'minute' | 'hour' | 'day' | 'week' | 'month' | 'year';
      comparison: Comparison | 'eq';
      value: number;
    };
