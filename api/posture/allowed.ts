// The longest lifetime that Vault would allow: of the role and of the mount, as far as they are known and set, the shorter.

import type { EvidenceReader } from '../../core/ports.ts';
import { factsAt } from '../directory/facts.ts';
import type { Mounts, Place } from '../directory/mounts.ts';
import type { AllowedMax } from './numbers.ts';

/** For the place that gave a credential out, and its role. */
export interface AllowedMaxima {
  of(place: Place, role: string | undefined): AllowedMax | undefined;
  complete: boolean;
}

/** As the directory was at `at`. A role's 0 means that the mount's holds; a role cannot go beyond its mount (sdk framework.CalculateTTL). */
export async function allowedMaxima(
  reader: EvidenceReader,
  mounts: Mounts,
  at: string,
): Promise<AllowedMaxima> {
  const { facts, complete } = await factsAt(reader, 'role', at);
  const roles = new Map<string, AllowedMax>();
  for (const { cluster, namespace, key, value } of facts) {
    const s = value?.token_explicit_max_ttl_s || value?.token_max_ttl_s || value?.max_ttl_s;
    if (value !== null && s)
      roles.set(roleKey(cluster, namespace + value.mount, value.role), {
        s,
        source: 'role',
        of: namespace + key,
      });
  }
  const of: AllowedMaxima['of'] = (place, role) => {
    const mount = mounts.of(place);
    const s = mounts.tuning(mount, place.cluster)?.max_lease_ttl_s;
    const ofRole = roles.get(roleKey(place.cluster, mount, role));
    return s && (ofRole === undefined || s < ofRole.s) ? { s, source: 'mount', of: mount } : ofRole;
  };
  return { of, complete };
}

const roleKey = (cluster: string | undefined, mount: string, role: string | undefined): string =>
  JSON.stringify([cluster, mount, role]);
