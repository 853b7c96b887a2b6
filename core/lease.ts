// A credential that Vault gave out, from issue to end (design section 4).

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
  id: string;
  issued_at: string;
  kind: 'lease' | 'token';
  last_renewed_at?: string;
  max_ttl_s?: number;
  namespace?: string;
  /** Path that gave it out, relative to its namespace. */
  path: string;
  /** Ids of the events that prove each statement. */
  proof: { ended?: string; issued: string; ttl?: string };
  renewals: number;
  /** `user.id` of who asked for it. */
  requested_by: string;
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
}
