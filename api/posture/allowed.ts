// The longest lifetime that Vault would allow: of the role where it is known and set, else of the mount.

import type { EvidenceReader } from '../../core/ports.ts';
import { factsAt } from '../directory/facts.ts';
import type { Mounts } from '../directory/mounts.ts';
import type { AllowedMax } from './numbers.ts';

/** For the path that gave a credential out, and its role. */
export type AllowedMaxima = (path: string, role: string | undefined) => AllowedMax | undefined;

/** As the directory was before `at`. A role's 0 means that the mount's holds. */
export async function allowedMaxima(
  reader: EvidenceReader,
  mounts: Mounts,
  at: string,
): Promise<AllowedMaxima> {
  const { facts } = await factsAt(reader, 'role', at);
  const roles = new Map<string, AllowedMax>();
  for (const { key, value } of facts) {
    const s = value?.token_explicit_max_ttl_s || value?.token_max_ttl_s || value?.max_ttl_s;
    if (value !== null && s) roles.set(`${value.mount} ${value.role}`, { s, source: 'role', of: key });
  }
  return (path, role) => {
    const mount = mounts.of(path);
    const s = mounts.tuning(mount)?.max_lease_ttl_s;
    return roles.get(`${mount} ${role}`) ?? (s ? { s, source: 'mount', of: mount } : undefined);
  };
}
