// Every behaviour, by hand, so that one can read which there are.

import type { Behaviour } from './behaviour.ts';

export const allBehaviours: readonly Behaviour[] = [];
