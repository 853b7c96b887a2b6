// The event: one API call of Vault, as design section 4 lays it down. Absent means unknown; so does a member that is
// undefined: the builder sets every key, because objects of one shape are made and written three times as fast.

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

export type Outcome = 'success' | 'failure' | 'unknown';
export type Pair = 'both' | 'request_only' | 'response_only';
export type CallerKind = 'human' | 'workload' | 'root' | 'anonymous' | 'unknown';
export type Credential = 'service' | 'batch' | 'periodic' | 'root' | 'wrapping' | 'none' | 'unknown';

/**
 * `log_raw`: a device showed it without hashing. `token_in_plain`: a token stood where Vault does not hash. `not_in_file`: a
 * socket showed it and the file device did not. `late`: it came when event time had passed it.
 */
export type Flag = 'late' | 'log_raw' | 'not_in_file' | 'token_in_plain';

/** The token that made the call. Source: top-level `auth` (vault-audit.md 1 and 5). */
export interface Caller {
  accessor?: string | undefined;
  auth_method?: string | undefined;
  /** Path of the auth mount with a closing slash, `auth/userpass/`. */
  auth_mount?: string | undefined;
  credential: Credential;
  display_name?: string | undefined;
  entity_id?: string | undefined;
  kind: CallerKind;
  policies?: string[] | undefined;
  role?: string | undefined;
  subject?: string | undefined;
  token_expires_at?: string | undefined;
  token_issued_at?: string | undefined;
  /** Seconds the token was created with; not what is left of it. */
  token_ttl_s?: number | undefined;
}

/** The token that the call gave out. Source: `response.auth`. */
export interface Issued {
  accessor?: string | undefined;
  entity_id?: string | undefined;
  num_uses?: number | undefined;
  policies?: string[] | undefined;
  ttl_s?: number | undefined;
  type?: string | undefined;
}

export interface AuditEvent {
  /** UTC, always 9 fraction digits, so that text order is time order. */
  '@timestamp': string;
  ecs: { version: string };
  error?: { message: string } | undefined;
  event: {
    /** Noun-verb: `secret-read`, `user-login`. */
    action: string;
    category: string[];
    dataset: 'vault.audit';
    /** Nanoseconds from the request's entry to the response's. */
    duration?: number | undefined;
    /** SHA-256 of the scrubbed lines, request first, each with its newline. */
    hash: string;
    id: string;
    kind: 'event';
    outcome: Outcome;
    /** Short code, when the outcome needs one: `policy_denied`, `login_failed`. */
    reason?: string | undefined;
    type: string[];
  };
  related: { ip?: string[] | undefined; user?: string[] | undefined };
  source?: { ip?: string | undefined; port?: number | undefined } | undefined;
  user: { domain?: string | undefined; id: string; name?: string | undefined; roles?: string[] | undefined };
  user_agent?: { original: string } | undefined;
  vault: {
    authorization?: { allowed?: boolean | undefined; granting_policies?: string[] | undefined } | undefined;
    caller: Caller;
    cluster: string;
    devices: string[];
    /** What is odd about how the call reached us, sorted. */
    flags?: Flag[] | undefined;
    /** Node that passed the call on to the one that wrote it (vault-audit.md 1). */
    forwarded_from?: string | undefined;
    issued?: Issued | undefined;
    lease?: { id: string } | undefined;
    /** Nodes that wrote it, as the inputs name them. */
    nodes?: string[] | undefined;
    pair: Pair;
    request: {
      data?: JsonObject | undefined;
      id?: string | undefined;
      mount_point?: string | undefined;
      mount_type?: string | undefined;
      namespace?: string | undefined;
      operation?: string | undefined;
      path?: string | undefined;
      wrap_ttl_s?: number | undefined;
    };
    response?: { data?: JsonObject | undefined; warnings?: string[] | undefined } | undefined;
    /**
     * 1 for a half, 2 for the whole; one less when it came so late that it may have gone out before (decision 0002). A store
     * keeps the highest.
     */
    revision: 0 | 1 | 2;
    schema: number;
    secret?: { engine: string; path: string; version?: number | undefined } | undefined;
    /** Parts that were over `eventDataBytesMax` and left out. */
    truncated?: string[] | undefined;
    /** Members of the entry that no version of vault-audit.md 1 names, by their path: kept, and used for nothing. */
    unknown?: JsonObject | undefined;
    wrap?: { accessor?: string | undefined; creation_path?: string | undefined } | undefined;
  };
}

export const ECS_VERSION = '8.17.0';
export const EVENT_SCHEMA = 1;
