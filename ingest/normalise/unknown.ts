// Members of an entry that no version known to us writes: a new Vault may say something that an auditor wants to see. They
// are kept as they are, and nothing is ever concluded from them.

import { isSorted } from '../../core/canonical.ts';
import type { Json, JsonObject } from '../../core/event.ts';
import { limits } from '../../core/limits.ts';
import { type Entry, isObject, objectOf } from './entry.ts';

const names = (text: string): ReadonlySet<string> => new Set(text.split(' '));

// Every member that vault-audit.md 1 names, whether the event has a place for it or not.
const mount =
  'mount_accessor mount_class mount_is_external_plugin mount_point mount_running_sha256 mount_running_version mount_type';
const known = {
  top: names('auth error forwarded forwarded_from request response time type'),
  auth: names(
    'accessor authorization_details client_token display_name entity_created entity_id external_namespace_policies ' +
      'identity_policies metadata no_default_policy num_uses policies policy_results remaining_uses token_issue_time ' +
      'token_policies token_ttl token_type',
  ),
  results: names('allowed granting_policies'),
  policy: names('name namespace_id namespace_path type'),
  request: names(
    `${mount} client_certificate_serial_number client_id client_token client_token_accessor data headers id namespace ` +
      'operation path policy_override remote_address remote_port replication_cluster request_uri ' +
      'supplemental_audit_data wrap_ttl',
  ),
  namespace: names('id path'),
  response: names(
    `${mount} auth data headers mount_running_plugin_version redirect secret supplemental_audit_data warnings wrap_info`,
  ),
  secret: names('lease_id'),
  wrap: names('accessor creation_path creation_time token ttl wrapped_accessor'),
};

export interface Unknown {
  /** By path, in order of path. */
  members: JsonObject;
  /** Some were over `limits.eventDataBytesMax` in all, or nested too deep, and left out. */
  isCut: boolean;
}

/** What the entries of one call have that nobody knows; of two values of one path the last stays. Undefined when nothing. */
export function unknownOf(...entries: (Entry | undefined)[]): Unknown | undefined {
  let found: Map<string, Json> | undefined;
  const look = (object: JsonObject | undefined, members: ReadonlySet<string>, path: string) => {
    for (const key in object) {
      if (members.has(key)) continue;
      found ??= new Map();
      found.set(path + key, object[key] as Json);
    }
  };
  for (const entry of entries) {
    if (entry === undefined) continue;
    const { auth, request, response } = entry;
    look(entry.top, known.top, '');
    lookIntoAuth(auth, 'auth.', look);
    look(request, known.request, 'request.');
    look(objectOf(request, 'namespace'), known.namespace, 'request.namespace.');
    if (response === undefined) continue;
    look(response, known.response, 'response.');
    lookIntoAuth(objectOf(response, 'auth'), 'response.auth.', look);
    look(objectOf(response, 'secret'), known.secret, 'response.secret.');
    look(objectOf(response, 'wrap_info'), known.wrap, 'response.wrap_info.');
  }
  return found === undefined ? undefined : bounded(found);
}

type Look = (object: JsonObject | undefined, members: ReadonlySet<string>, path: string) => void;

function lookIntoAuth(auth: JsonObject | undefined, path: string, look: Look): void {
  look(auth, known.auth, path);
  const results = objectOf(auth, 'policy_results');
  if (results === undefined) return;
  look(results, known.results, `${path}policy_results.`);
  const policies = results['granting_policies'];
  if (!Array.isArray(policies)) return;
  for (const policy of policies)
    if (isObject(policy)) look(policy, known.policy, `${path}policy_results.granting_policies.`);
}

function bounded(found: Map<string, Json>): Unknown {
  const kept: [string, Json][] = [];
  let left: number = limits.eventDataBytesMax;
  for (const [path, value] of [...found].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const isDeep = isSorted(value, limits.nestingMax - 1) === 'deep';
    const size = path.length + (isDeep ? left : JSON.stringify(value).length);
    if (size > left) continue;
    left -= size;
    kept.push([path, value]);
  }
  // Not by assignment: a member may be called `__proto__`.
  return { members: Object.fromEntries(kept), isCut: kept.length < found.size };
}
