// A credential that Vault gave out, from issue to end (design section 4; the members beyond it: decision 0018).

import type { CallerKind } from './event.ts';

export interface Lease {
  cluster: string;
  end_confirmed: boolean;
  end_reason?: 'revoked' | 'revoke_prefix' | 'parent_ended' | 'mount_removed' | 'expired' | 'unknown';
  ended_at?: string;
  expires_at?: string;
  /** `user.name` of who holds it. */
  holder?: string;
  /** `user.id` of who holds it. */
  holder_id?: string;
  /** Id of the token (a row with `kind: token`) whose end ends it: the token that took it; of a token its parent. */
  holder_token?: string;
  /** Lease id; of a token `token:` and its accessor, of a batch token `token:` and its hash (the form of `user.id`). */
  id: string;
  /** Of what was there when the log began, and `requested_by` is absent: when it was seen first. */
  issued_at: string;
  kind: 'lease' | 'token';
  last_renewed_at?: string;
  max_ttl_s?: number;
  namespace?: string;
  /** Path that gave it out, relative to its namespace; absent for a token that nobody saw given out. */
  path?: string;
  /** Ids of the events that prove each statement. */
  proof: { ended?: string; issued: string; ttl?: string };
  renewals: number;
  /** `user.id` of who asked for it; absent when nobody saw it given out. */
  requested_by?: string;
  /** The role whose settings decide the lifetime: of a lease the engine's (`readonly`), of a token the auth method's. */
  role?: string;
  state: 'active' | 'revoked' | 'expired' | 'irrevocable' | 'unknown';
  terms: { at: string; ttl_s: number }[];
  ttl_s?: number;
  /** Where `ttl_s` comes from. Audit lines never carry a lease's lifetime (vault-audit.md 4). */
  ttl_source:
    | 'audit'
    | 'audit_lookup'
    | 'own_lookup'
    | 'role_config'
    | 'hmac_join'
    | 'dictionary'
    | 'unknown';
  /** Of tokens only. */
  token?: TokenDetails;
  /** How it was handed over in a wrapped answer (vault-audit.md 7.12). */
  wrapped?: { by: string; at: string; opened_at?: string; opened_from?: string };
}

/** What is known of a token beyond its lifetime. */
export interface TokenDetails {
  /** As the first-ranked device shows it. Batch tokens have none. */
  accessor?: string;
  /** `approle`, `userpass`; `token` for one that another token made. */
  auth_method?: string;
  auth_mount?: string;
  display_name?: string;
  entity_id?: string;
  kind?: CallerKind;
  /** Id of the event of the login that the chain of parents began with. */
  login?: string;
  /** Uses it was given; absent for any number. */
  num_uses?: number;
  /** No token's end ends it. */
  orphan?: boolean;
  /** Seconds of its period, when a look-up or its role tells. */
  period_s?: number;
  /** It is renewed past what any other token could be: told by a look-up or its role, or by behaviour. */
  periodic?: 'told' | 'behaviour';
  policies?: string[];
  type?: string;
  uses_left?: number;
}
