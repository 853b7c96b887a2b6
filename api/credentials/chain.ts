// From a credential up to the login that it began with: its token, that token's parents, and the call that logged in.

import { z } from 'zod';
import type { AuditEvent } from '../../core/event.ts';
import type { Lease } from '../../core/lease.ts';
import { limits } from '../../core/limits.ts';
import type { EvidenceReader } from '../../core/ports.ts';

export const chainSchema = z.object({
  tokens: z
    .array(
      z.object({
        id: z.string(),
        display_name: z.string().nullable(),
        auth_method: z.string().nullable(),
        issued_at: z.string(),
        state: z.string(),
      }),
    )
    .meta({
      description: 'the token that holds it, its parent, and so on; empty when the holder is not known',
    }),
  login: z
    .object({
      event_id: z.string(),
      at: z.string(),
      user: z.object({ id: z.string(), name: z.string().nullable() }),
      auth_method: z.string().nullable(),
      auth_mount: z.string().nullable(),
      address: z.string().nullable(),
    })
    .nullable()
    .meta({ description: 'null when no login is known: a root token, or one from before the log began' }),
});
export type Chain = z.infer<typeof chainSchema>;

/** The chain of a lease or token. A token stands first in its own. */
export async function chainOf(reader: EvidenceReader, credential: Lease): Promise<Chain> {
  const tokens: Lease[] = credential.kind === 'token' ? [credential] : [];
  let next = credential.holder_token;
  while (
    next !== undefined &&
    tokens.length < limits.tokenChainMax &&
    !tokens.some(({ id }) => id === next)
  ) {
    const token = await reader.get('leases', next);
    if (token === undefined) break;
    tokens.push(token);
    next = token.holder_token;
  }
  const login = tokens.map(({ token }) => token?.login).find((id) => id !== undefined);
  return {
    tokens: tokens.map(({ id, token, issued_at, state }) => ({
      id,
      display_name: token?.display_name ?? null,
      auth_method: token?.auth_method ?? null,
      issued_at,
      state,
    })),
    login: login === undefined ? null : loginOf(await reader.get('events', login), login),
  };
}

/** The event may be older than what the store keeps. */
function loginOf(event: AuditEvent | undefined, id: string): Chain['login'] {
  if (event === undefined) return null;
  const { user, source, vault } = event;
  return {
    event_id: id,
    at: event['@timestamp'],
    user: { id: user.id, name: user.name ?? null },
    auth_method: vault.caller.auth_method ?? null,
    auth_mount: vault.caller.auth_mount ?? null,
    address: source?.ip ?? null,
  };
}
