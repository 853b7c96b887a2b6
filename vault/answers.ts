// What sealwatch reads out of Vault's answers for itself, checked: whatever answers on Vault's address may be anything.

import { z } from 'zod';
import { limits } from '../core/limits.ts';
import type { VaultAnswer } from './client.ts';

const requestId = z
  .string()
  .max(limits.requestIdCharsMax)
  .regex(/^[A-Za-z0-9._:-]+$/);

/** The answer's id, if it is one that an audit line could hold. */
export const requestIdOf = ({ body }: VaultAnswer): string | undefined =>
  requestId.safeParse(body?.['request_id']).data;

/** What can stand in a header: anything else would be an error of Node's that shows it. */
const token = z
  .string()
  .max(8192)
  .regex(/^[\x21-\x7e]+$/);
export const isToken = (text: string): boolean => token.safeParse(text).success;

const auth = z.object({
  auth: z.object({
    client_token: token,
    lease_duration: z.number().nonnegative().max(Number.MAX_SAFE_INTEGER),
    renewable: z.boolean(),
  }),
});

export interface GivenToken {
  token: string;
  /** 0: it does not end. */
  ttlSeconds: number;
  isRenewable: boolean;
}

/** The token that a login or renewal gave out. */
export function givenToken({ body }: VaultAnswer): GivenToken | undefined {
  const given = auth.safeParse(body).data?.auth;
  if (given === undefined) return undefined;
  return {
    token: given.client_token,
    ttlSeconds: given.lease_duration,
    isRenewable: given.renewable,
  };
}

const data = z.object({ data: z.record(z.string(), z.unknown()) });
/** The member `data` of an answer. */
export const dataOf = ({ body }: VaultAnswer): Record<string, unknown> | undefined =>
  data.safeParse(body).data?.data;

/**
 * Whether Vault itself said yes or no, so that asking the same again is of no use; else it is away, sealed, busy or not active. What
 * refuses without JSON is not Vault but something before it: a proxy whose 404 must not say that a policy is gone.
 */
export const isFinal = ({ status, body }: VaultAnswer): boolean =>
  status >= 200 &&
  status < (body === undefined ? 300 : 500) &&
  ![307, 408, 412, 429, 472, 473].includes(status);
