// Wrapped answers: what is in one belongs to whoever asked for it, not to the token that opens it (vault-audit.md 7.12).

import { limits } from '../../../core/limits.ts';
import { addSeconds } from '../../../core/time.ts';
import type { Change, Issued, Opened } from '../change.ts';
import { Bounded, type ReadMemory } from './bounded.ts';
import { type Call, known, textOf, tokenId } from './call.ts';
import type { Names } from './names.ts';

/** The call that a wrapped answer is of. */
export interface Wrapped {
  at: string;
  proof: string;
  namespace: string;
  path: string;
  mount: string;
  by: string;
  holder?: string;
  holder_id: string;
  holder_token?: string;
  ttl_s?: number;
  /** Id of the token that is in it. */
  token?: string;
  isLogin: boolean;
  /** Its lifetime is what the role has: no other was asked for, and no batch token's end bounds it. */
  isByRole: boolean;
}

export class Wraps {
  private readonly names: Names;
  private readonly wraps: Bounded<Wrapped>;

  constructor(memory: ReadMemory, names: Names) {
    this.names = names;
    this.wraps = new Bounded(memory, 'read/wraps', limits.readingWrapsMax);
  }

  /** The answer went out wrapped: the wrapping token is a token like any other, and its row tells whether it was opened. */
  created(call: Call, token: string | undefined): Change[] {
    const accessor = call.event.vault.wrap?.accessor;
    if (accessor === undefined) return [];
    const id = tokenId(this.names.canonical(accessor));
    this.names.learnToken(call.handles.wrap, id);
    const again = call.event.event.action === 'response-rewrap' ? this.opened(call) : undefined;
    const wrapped = again?.wrapped ?? requestOf(call, token);
    this.wraps.set(id, wrapped);
    return [...(again?.changes ?? []), issued(call, id, accessor, wrapped)];
  }

  /** The call opens a wrapped answer, by the wrapping token itself or by naming it. Undefined: what it was is not known. */
  opened(call: Call): { wrapped: Wrapped | undefined; changes: Change[] } {
    const { event, data, base, token } = call;
    const named = textOf(data, 'token');
    const id = named === undefined ? token : this.names.tokenByHash(named);
    if (id === undefined) return { wrapped: undefined, changes: [] };
    const ip = event.source?.ip;
    const opened: Opened = { change: 'opened', ...base, id, ...known({ opened_from: ip }) };
    // It is good for one use, whoever makes it.
    const used: Change = { change: 'used', ...base, id, uses_left: 0 };
    return { wrapped: this.wraps.get(id), changes: [opened, used] };
  }
}

/** A token that no other token's end ends: said by the path, or by `no_parent`, which is plain (vault-audit.md 4). */
export const isOrphan = ({ rest, data }: Call): boolean =>
  rest.startsWith('create-orphan') || data['no_parent'] === true;

/** When, where and by which call that was asked for which `call` shows. */
export function requestIn({ base }: Call, by: Wrapped | undefined): Call['base'] {
  return by === undefined ? base : { ...base, at: by.at, proof: by.proof, namespace: by.namespace };
}

/** Whether a lease of the call lives as long as any of its role. */
const isByRole = ({ data, event }: Call): boolean =>
  data['ttl'] === undefined && event.vault.caller.credential !== 'batch';

/** The call as one whose answer holds a lease or a token. */
export function requestOf(call: Call, token: string | undefined): Wrapped {
  const { event, base, mount } = call;
  const { issued: given, request } = event.vault;
  return {
    ...known({
      holder: event.user.name,
      holder_token: event.event.action === 'token-create' && isOrphan(call) ? undefined : call.token,
      ttl_s: request.wrap_ttl_s,
      token,
    }),
    at: base.at,
    proof: base.proof,
    namespace: base.namespace,
    path: event.vault.wrap?.creation_path ?? request.path ?? '',
    mount,
    by: event.user.id,
    holder_id: given?.entity_id ?? event.user.id,
    isLogin: event.event.action === 'user-login',
    isByRole: isByRole(call),
  };
}

/** The wrapping token. No parent's end ends it; who may open it nobody can say. */
function issued(call: Call, id: string, accessor: string, { by, path, ttl_s, at }: Wrapped): Issued {
  const { base } = call;
  return {
    change: 'issued',
    ...base,
    kind: 'token',
    id,
    path,
    requested_by: by,
    token: {
      accessor,
      num_uses: 1,
      uses_left: 1,
      orphan: true,
      policies: ['response-wrapping'],
      type: 'service',
    },
    wrapped: { by, at },
    ...(ttl_s === undefined
      ? {}
      : {
          life: {
            ttl_s,
            source: 'audit',
            expires_at: addSeconds(base.at, ttl_s),
            max_ttl_s: ttl_s,
            proof: base.proof,
          },
        }),
  };
}
