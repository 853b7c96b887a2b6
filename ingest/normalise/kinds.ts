// Human or workload, where the operator knows better than metadata and display name (config key `callers`).

import type { Config } from '../../core/config.ts';
import type { CallerKind } from '../../core/event.ts';
import { literal, parsePattern, textTest } from '../../core/match/text.ts';

/** What a call's own lines show of its caller. */
export interface Who {
  /** Its auth mount as display names write it, without `auth/` and with `-` for each `/`. */
  mount: string | undefined;
  role: string | undefined;
  /** `user.name`. */
  name: string | undefined;
  entity: string | undefined;
}

type Test = (text: string) => boolean;
interface Rule {
  tests: [keyof Who, Test][];
  kind: CallerKind;
}

const parts = ['mount', 'role', 'name', 'entity'] as const;

export class CallerKinds {
  private readonly rules: Rule[];
  /** A caller makes many calls, and looking it up costs less than asking every rule. */
  private readonly known = new Map<string, CallerKind | undefined>();

  constructor(callers: Config['callers'] = []) {
    this.rules = callers.map((caller) => ({
      kind: caller.kind,
      tests: parts.flatMap((part) => {
        const value = caller[part];
        return value === undefined ? [] : [[part, testOf(part, value)] satisfies [keyof Who, Test]];
      }),
    }));
  }

  /** `kind`, unless a rule says otherwise; the first that fits does. Root and nobody stay what they are. */
  of(kind: CallerKind, who: Who): CallerKind {
    if (this.rules.length === 0 || kind === 'root' || kind === 'anonymous') return kind;
    const key = JSON.stringify([who.mount, who.role, who.name, who.entity]);
    if (!this.known.has(key)) {
      const found = this.rules.find(({ tests }) => tests.every(([part, test]) => fits(who[part], test)));
      // Whoever makes tokens chooses their names: neither many nor long ones may fill the memory.
      if (this.known.size >= KNOWN_MAX) this.known.clear();
      if (key.length > KEY_CHARS_MAX) return found?.kind ?? kind;
      this.known.set(key, found?.kind);
    }
    return this.known.get(key) ?? kind;
  }
}

const KNOWN_MAX = 10_000;
const KEY_CHARS_MAX = 1000;

const fits = (value: string | undefined, test: Test): boolean => value !== undefined && test(value);

const testOf = (part: (typeof parts)[number], value: string): Test =>
  textTest(
    part === 'entity' ? literal(value) : parsePattern(part === 'mount' ? asDisplayed(value) : value),
    true,
  );

/** `auth/corp/ldap/` as `corp-ldap`. */
export const asDisplayed = (mount: string): string =>
  mount
    .replace(/^auth\//, '')
    .replace(/\/$/, '')
    .replaceAll('/', '-');
