// What behaviours and posture are held against alike: a bound that the lists do not set is that of the configuration.

import type { Config } from '../config.ts';
import type { Lists } from '../lists.ts';

/** `lists`, with `posture` of the configuration where they set nothing. */
export function withPosture(lists: Lists, posture: Config['posture']): Lists {
  const bounds: Record<string, Record<string, number>> = {
    'lease-lifetime': { maxSeconds: posture.leaseMinutes * 60 },
    'rotation-overdue': { days: posture.rotationDays },
    'standing-token': { staticDays: posture.staticTokenDays },
    'token-lifetime': { maxSeconds: posture.tokenMinutes * 60 },
  };
  return {
    ...lists,
    setting: (behaviour, name, className, fallback) =>
      lists.setting(behaviour, name, className, bounds[behaviour]?.[name] ?? fallback),
  };
}
