// The event: one API call of Vault, as design section 4 lays it down. Absent means unknown.

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

export type Outcome = 'success' | 'failure' | 'unknown';
export type Pair = 'both' | 'request_only' | 'response_only';
export type CallerKind = 'human' | 'workload' | 'root' | 'anonymous' | 'unknown';
export type Credential = 'service' | 'batch' | 'periodic' | 'root' | 'wrapping' | 'none' | 'unknown';

/** The token that made the call. Source: top-level `auth` (vault-audit.md 1 and 5). */
export interface Caller {
  accessor?: string;
  auth_method?: string;
  /** Path of the auth mount with a closing slash, `auth/userpass/`. */
  auth_mount?: string;
  credential: Credential;
  display_name?: string;
  entity_id?: string;
  kind: CallerKind;
  policies?: string[];
  role?: string;
  subject?: string;
  token_expires_at?: string;
  token_issued_at?: string;
  /** Seconds the token was created with; not what is left of it. */
  token_ttl_s?: number;
}

/** The token that the call gave out. Source: `response.auth`. */
export interface Issued {
  accessor?: string;
  entity_id?: string;
  num_uses?: number;
  policies?: string[];
  ttl_s?: number;
  type?: string;
}

export interface AuditEvent {
  /** UTC, always 9 fraction digits, so that text order is time order. */
  '@timestamp': string;
  ecs: { version: string };
  error?: { message: string };
  event: {
    /** Noun-verb: `secret-read`, `user-login`. */
    action: string;
    category: string[];
    dataset: 'vault.audit';
    /** Nanoseconds from the request's entry to the response's. */
    duration?: number;
    /** SHA-256 of the scrubbed lines, request first, each with its newline. */
    hash: string;
    id: string;
    kind: 'event';
    outcome: Outcome;
    /** Short code, when the outcome needs one: `policy_denied`, `login_failed`. */
    reason?: string;
    type: string[];
  };
  related: { ip?: string[]; user?: string[] };
  source?: { ip?: string; port?: number };
  user: { domain?: string; id: string; name?: string; roles?: string[] };
  user_agent?: { original: string };
  vault: {
    authorization?: { allowed?: boolean; granting_policies?: string[] };
    caller: Caller;
    cluster: string;
    devices: string[];
    issued?: Issued;
    lease?: { id: string };
    nodes?: string[];
    pair: Pair;
    request: {
      data?: JsonObject;
      id?: string;
      mount_point?: string;
      mount_type?: string;
      namespace?: string;
      operation?: string;
      path?: string;
      wrap_ttl_s?: number;
    };
    response?: { data?: JsonObject; warnings?: string[] };
    /** 1 for a half, 2 for the whole; a store keeps the highest. */
    revision: 1 | 2;
    schema: number;
    secret?: { engine: string; path: string; version?: number };
    /** Parts that were over `eventDataBytesMax` and left out. */
    truncated?: string[];
    wrap?: { accessor?: string; creation_path?: string };
  };
}

export const ECS_VERSION = '8.17.0';
export const EVENT_SCHEMA = 1;
