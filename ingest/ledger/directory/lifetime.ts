// How long what a role gives out lives: by the role, else by its mount.

import type { FactValues } from '../../../core/directory.ts';
import type { Directory } from '../change.ts';

export interface EffectiveLifetime {
  ttl_s: number;
  max_ttl_s?: number;
  /** Proof of the fact that `ttl_s` comes from. */
  proof: string;
}

/**
 * Lifetime in seconds of a lease or token that the role at `role` gives out now; undefined when the role was changed unseen, or
 * leaves it to a mount of which none is known, as one that the system's defaults hold for. `mount`: its path, `database/`.
 */
export function effectiveLifetime(
  directory: Directory,
  namespace: string,
  role: string,
  mount: string,
): EffectiveLifetime | undefined {
  const fact = directory.current('role', namespace, role);
  if (fact?.value == null) return undefined;
  const above = directory.current('mount', namespace, mount);
  const { own, maxes, isPeriodic } = settingsOf(fact.value, mount.startsWith('auth/'));
  const ttl = own || above?.value?.default_lease_ttl_s;
  if (own === undefined || ttl === undefined) return undefined;
  const bounds = (list: (number | undefined)[]) =>
    list.filter((max) => max !== undefined && max > 0) as number[];
  const max = bounds([...maxes, isPeriodic ? undefined : above?.value?.max_lease_ttl_s]);
  return {
    ttl_s: Math.min(ttl, ...bounds([...maxes, above?.value?.max_lease_ttl_s])),
    ...(max.length > 0 && { max_ttl_s: Math.min(...max) }),
    proof: own > 0 || above === undefined ? fact.proof : above.proof,
  };
}

/** The role's own lifetime, 0 when it leaves it to the mount, and what bounds it; a period is bounded by neither maximum. */
function settingsOf(role: FactValues['role'], isAuth: boolean) {
  if (!isAuth) return { own: role.default_ttl_s, maxes: [role.max_ttl_s], isPeriodic: false };
  const { token_period_s: period = 0, token_explicit_max_ttl_s: explicit } = role;
  if (period > 0) return { own: period, maxes: [explicit], isPeriodic: true };
  return { own: role.token_ttl_s, maxes: [role.token_max_ttl_s, explicit], isPeriodic: false };
}
