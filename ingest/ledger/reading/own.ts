// Which tokens in the log are sealwatch's own: those of calls whose request id Vault gave in an answer to sealwatch.

import { hash } from 'node:crypto';
import { limits } from '../../../core/limits.ts';
import type { Answer, OwnToken } from '../../../core/records.ts';
import { Bounded, type ReadMemory } from './bounded.ts';
import { type Call, isHash, known, proofOf, textOf } from './call.ts';

/** What of a call its answer may need. */
interface Seen {
  accessor?: string;
  entity_id?: string;
  at: string;
  cluster: string;
  /** Hash of what was looked up. */
  hash?: string;
}
/** What of an answer its call may need. */
interface Asked {
  name?: string;
  holder?: string;
}
/** What the log shows as `hash`, and sealwatch had asked in plain. */
export interface Shown {
  hash: string;
  name: string;
}

/** Paths that sealwatch calls: of all other calls nothing need be kept. */
const OWN_PATHS =
  /^auth\/token\/lookup|^sys\/(leases\/lookup$|audit-hash\/|mounts|auth|policies\/|policy|internal\/ui)|^identity\/|(^|\/)roles?(\/|$)|\/login(\/|$)|\/users\//;

export class Own {
  private readonly calls: Bounded<Seen>;
  private readonly answers: Bounded<Asked>;
  private readonly told: Bounded<true>;
  private readonly tell: (token: OwnToken) => void;

  constructor(memory: ReadMemory, tell: (token: OwnToken) => void) {
    this.calls = new Bounded(memory, 'read/calls', limits.readingOwnMax);
    this.answers = new Bounded(memory, 'read/answers', limits.readingOwnMax);
    this.told = new Bounded(memory, 'read/own', limits.readingOwnMax);
    this.tell = tell;
  }

  /** The call is sealwatch's, or may turn out to be. */
  call(call: Call): Shown | undefined {
    const { event, data } = call;
    const id = event.vault.request.id;
    if (id === undefined || !OWN_PATHS.test(event.vault.request.path ?? '')) return undefined;
    const { caller, issued, cluster } = event.vault;
    const isLogin = event.event.action === 'user-login';
    const hashed = textOf(data, 'lease_id') ?? textOf(data, 'accessor');
    const seen: Seen = {
      ...known({
        accessor: isLogin ? issued?.accessor : caller.accessor,
        entity_id: isLogin ? issued?.entity_id : caller.entity_id,
        hash: hashed !== undefined && isHash(hashed) ? hashed : undefined,
      }),
      at: (isLogin ? undefined : caller.token_issued_at) ?? call.base.at,
      cluster,
    };
    const answer = this.answers.get(id);
    if (answer === undefined) {
      this.calls.set(id, seen);
      return undefined;
    }
    this.answers.delete(id);
    return this.meet(id, seen, answer);
  }

  /** Vault answered a call of ours, whatever it was for. */
  answer(answer: Answer): Shown | undefined {
    const id = proofOf(answer);
    const name = textOf(answer.body ?? {}, 'lease_id') ?? textOf(answer.body ?? {}, 'accessor');
    const asked: Asked = known({ name, holder: answer.holder });
    const seen = this.calls.get(id);
    if (seen === undefined) {
      this.answers.set(id, asked);
      return undefined;
    }
    this.calls.delete(id);
    return this.meet(id, seen, asked);
  }

  private meet(proof: string, seen: Seen, { name, holder }: Asked): Shown | undefined {
    const { accessor, entity_id, at, cluster } = seen;
    if (accessor !== undefined && this.told.get(accessor) === undefined) {
      this.told.set(accessor, true);
      const id = `own-${hash('sha256', accessor, 'hex').slice(0, 32)}`;
      this.tell({ id, cluster, accessor, ...known({ entity_id, holder }), at, proof });
    }
    return seen.hash === undefined || name === undefined ? undefined : { hash: seen.hash, name };
  }
}
