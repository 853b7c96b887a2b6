// What to ask when something ended, so that a look-up may say that it is gone.

import type { Lease } from '../../../core/lease.ts';
import type { Question } from '../../../core/records.ts';

/** The look-up, or undefined when nothing can be asked: a hash names no accessor to Vault, and batch tokens have none. */
export function endQuestion(lease: Lease): Question | undefined {
  const { ended_at: at, namespace } = lease;
  const asked = lookupOf(lease);
  if (at === undefined || asked === undefined) return undefined;
  return { at, method: 'POST', ...asked, ...(namespace === undefined ? {} : { namespace }), need: 'end' };
}

function lookupOf({ id, kind, token }: Lease): Pick<Question, 'path' | 'body'> | undefined {
  if (kind === 'lease') return { path: 'sys/leases/lookup', body: { lease_id: id } };
  const accessor = token?.accessor;
  if (accessor === undefined || /^(hmac-sha256|sealwatch-hmac):/.test(accessor)) return undefined;
  return { path: 'auth/token/lookup-accessor', body: { accessor } };
}
