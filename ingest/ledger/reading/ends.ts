// What ends credentials: revocations by id, URL, prefix, force, token and accessor, and the end of a mount or namespace.

import type { Change, Directory, Ended } from '../change.ts';
import type { ReadMemory } from './bounded.ts';
import { type Call, leaseNamed, textOf, tokenNamed } from './call.ts';
import type { Joins } from './joins.ts';

type Reason = Ended['reason'];

/** What the call ended, of those that Vault has done. */
export function ends(call: Call, joins: Joins, memory: ReadMemory, directory: Directory): Change[] {
  switch (call.event.event.action) {
    case 'lease-revoke':
      return lease(call, joins);
    case 'lease-revoke-prefix':
    case 'lease-revoke-force':
      return prefix(call, memory);
    case 'token-revoke':
      return token(call, joins);
    case 'mount-disable':
    case 'auth-disable':
      return mount(call, directory);
    case 'mount-move':
      return moved(call, joins);
    case 'namespace-delete':
      return namespace(call);
    default:
      return [];
  }
}

const ended = ({ base }: Call, what: Ended['what'], reason: Reason): Ended => ({
  change: 'ended',
  ...base,
  what,
  reason,
});

/** `sys/leases/revoke` and the older `sys/revoke`: the id is in the path (CLI), or in the body, where it is hashed. */
const lease = (call: Call, joins: Joins): Change[] =>
  joins.onLease(call, leaseNamed(call, /^(?:leases\/)?revoke\/(.+)$/), ended(call, { lease: '' }, 'revoked'));

/** A prefix that is a whole lease id is that lease, any other ends at a slash (`revokePrefixCommon` of Vault). */
function prefix(call: Call, memory: ReadMemory): Change[] {
  const shown = /^(?:leases\/)?revoke-(?:prefix|force)\/(.+)$/.exec(call.rest)?.[1];
  if (shown === undefined) return [];
  if (memory.held(shown)?.lease.kind === 'lease') return [ended(call, { lease: shown }, 'revoke_prefix')];
  return [ended(call, { prefix: withSlash(shown) }, 'revoke_prefix')];
}

function token(call: Call, joins: Joins): Change[] {
  const { rest } = call;
  const named = tokenNamed(call);
  const childrenLive = rest.startsWith('revoke-orphan');
  const change = ended(call, { token: call.token ?? '', childrenLive }, 'revoked');
  if (rest.startsWith('revoke-self')) return call.token === undefined ? [] : [change];
  if (rest.startsWith('revoke-accessor')) return joins.onAccessor(call, named.accessor, change);
  return joins.onToken(named.token, change);
}

function mount(call: Call, directory: Directory): Change[] {
  const path = call.rest.replace(/^(mounts|auth)\//, '');
  if (path === '') return [];
  const under = call.rest.startsWith('auth/') ? `auth/${path}` : path;
  const prefix = withSlash(under);
  return isInMount(call, prefix, directory) ? [] : [ended(call, { prefix }, 'mount_removed')];
}

/** Vault says that it has removed what is no mount as well, and mounts do not nest: inside of one nothing was removed. */
function isInMount({ base }: Call, prefix: string, directory: Directory): boolean {
  for (let end = prefix.lastIndexOf('/', prefix.length - 2); end > 0; end = prefix.lastIndexOf('/', end - 1))
    if (directory.current('mount', base.namespace, prefix.slice(0, end + 1))?.value) return true;
  return false;
}

/** Vault revokes what the mount gave out before it moves it. Both paths are in the body, hashed. */
function moved(call: Call, joins: Joins): Change[] {
  return joins.onMount(call, textOf(call.data, 'from'), ended(call, { prefix: '' }, 'mount_removed'));
}

function namespace(call: Call): Change[] {
  const name = call.rest.replace(/^namespaces\//, '');
  if (name === '' || name === call.rest) return [];
  const change = ended(call, { prefix: '' }, 'mount_removed');
  return [{ ...change, namespace: call.base.namespace + withSlash(name) }];
}

const withSlash = (path: string): string => (path.endsWith('/') ? path : `${path}/`);
