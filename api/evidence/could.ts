// CC6.1, who could: identities and roles that could read each secret of the log when the period ended, and what each did with it.

import type { Fact } from '../../core/directory.ts';
import { limits } from '../../core/limits.ts';
import type { EvidenceReader } from '../../core/ports.ts';
import type { Clause } from '../../core/query.ts';
import { groundAt, groundsOf, NO_POLICY } from '../access/ask.ts';
import type { Knowledge } from '../access/knowledge.ts';
import type { Capability } from '../access/policy.ts';
import type { CouldRow } from '../access/schemas.ts';
import { aliveIn, logNow } from '../leases/alive.ts';
import type { ApiOptions } from '../options.ts';
import { withRows } from '../rows-by-id.ts';
import { allTime, beforeTime } from '../time.ts';
import { readActions } from './reads.ts';
import type { Answer, PopulationRow } from './schemas.ts';

interface Asked {
  from: string;
  to: string;
  secret_prefix?: string | undefined;
}

/** `could` and `granted_unused` are absent when no policy is known: nothing can be said, which is not the same as nobody. */
type Said = Pick<Answer, 'could' | 'granted_unused' | 'access'>;

export async function couldOf(
  options: ApiOptions,
  asked: Asked,
  did: readonly PopulationRow[],
): Promise<Said> {
  const { reader, cluster } = options;
  const end = beforeTime(asked.to);
  const now = await logNow(reader, options.now);
  const ground = await groundAt(reader, now < end ? now : end, cluster);
  const { knowledge } = ground;
  if (!knowledge.hasPolicies) {
    const grounds = await groundsOf(reader, ground, []);
    return { access: { ...grounds, secrets: 0, limits: [NO_POLICY], complete: false } };
  }
  const secrets = await secretsOf(reader, asked, cluster);
  const cut = [...ground.cut, ...(secrets.complete ? [] : [secretsCut])];
  if (secrets.elsewhere.length > 0) cut.push(elsewhere(cluster, secrets.elsewhere));
  const holders = await roleHolders(reader, asked, cluster);
  if (!holders.complete) cut.push(holdersCut);
  const uses = new Uses(did, holders.rows);
  const could: NonNullable<Answer['could']> = [];
  for (const [secret, ways] of secrets.ways) {
    const named = new Set<string>();
    for (const way of ways) {
      const { rows, complete } = await ground.access.could(way, way.wanted, limits.accessRowsMax);
      if (!complete) cut.push(rowsCut);
      for (const row of rows) {
        const who = `${row.who.kind}\n${row.who.id}`;
        if (!named.has(who)) could.push({ ...row, secret, did: uses.of(row, secret, knowledge) });
        named.add(who);
      }
    }
    if (could.length <= limits.accessRowsMax) continue;
    could.length = limits.accessRowsMax;
    cut.push(rowsCut);
    break;
  }
  const grounds = await groundsOf(reader, ground, could);
  const complete = cut.length === 0 && grounds.not_evaluated.length === 0;
  return {
    could,
    granted_unused: could.filter((row) => row.did === null),
    access: { ...grounds, secrets: secrets.ways.size, limits: [...new Set(cut)], complete },
  };
}

const secretsCut = `More than ${limits.accessSecretsMax} secrets and ways to call them: who could read the rest is not listed. Ask for a secret_prefix.`;
const holdersCut = `More than ${limits.evidenceRowsMax} holders of roles: a role in granted_unused can have been used.`;
const rowsCut = `More than ${limits.accessRowsMax} rows of who could read: the rows beyond are cut off. Ask for a secret_prefix.`;

const elsewhere = (cluster: string, others: string[]) =>
  `Who could read is worked out for the cluster ${cluster} alone. Secrets of other clusters are not judged (${others.join(', ')}), and a read there counts as a use of the same identity and path here.`;

/** A path on which the secret is given out, and the capabilities of which one is enough. */
interface Way {
  namespace: string;
  path: string;
  wanted: readonly Capability[];
}

/** Calls that gave out or wrote a secret on the path on which it is read. */
const secretActions = [...readActions, 'secret-write', 'secret-patch'];

/** Every secret of the cluster that was read or written up to the end of the period, with the paths to read it. */
async function secretsOf(
  reader: EvidenceReader,
  { to, secret_prefix: prefix }: Asked,
  cluster: string,
): Promise<{ ways: Map<string, Way[]>; elsewhere: string[]; complete: boolean }> {
  const where: Clause<'events'>[] = [
    { field: 'vault.secret.path', op: 'exists', value: true },
    { field: 'event.action', op: 'in', value: secretActions },
    { field: 'event.outcome', op: 'eq', value: 'success' },
    { field: 'event.reason', op: 'exists', value: false },
  ];
  if (prefix !== undefined) where.push({ field: 'vault.secret.path', op: 'prefix', value: prefix });
  const { groups, complete } = await reader.group({
    from: allTime.from,
    to,
    where,
    by: [
      'vault.secret.path',
      'vault.request.path',
      'event.action',
      'vault.request.mount_type',
      'vault.cluster',
    ],
    collect: [],
    limit: limits.accessSecretsMax,
  });
  const ways = new Map<string, Way[]>();
  const others = new Set<string>();
  for await (const [{ by }, event] of withRows(reader, 'events', groups, ({ last_id }) => last_id)) {
    const [secret = '', path = '', action = '', mountType, of = ''] = by;
    if (of !== cluster) {
      others.add(of);
      continue;
    }
    const way = {
      namespace: event?.vault.request.namespace ?? '',
      path,
      wanted: wantedFor(action, mountType),
    };
    const known = ways.get(secret) ?? [];
    if (!known.some((one) => one.path === path && one.wanted.join() === way.wanted.join())) known.push(way);
    ways.set(secret, known);
  }
  return { ways, elsewhere: [...others].sort(), complete };
}

/** What has to be allowed to be given the secret: AWS gives credentials to both kinds of call. */
function wantedFor(action: string, mountType: string | undefined): readonly Capability[] {
  if (action === 'credential-checkout') return ['update'];
  return action === 'credential-issue' && mountType === 'aws' ? ['read', 'update'] : ['read'];
}

interface RoleHolder {
  namespace: string;
  path: string;
  role: string;
  holder: string;
}

/** Who held a token of which role in the period. */
async function roleHolders(reader: EvidenceReader, { from, to }: Asked, cluster: string) {
  const { groups, complete } = await reader.group({
    kind: 'leases',
    from: allTime.from,
    to,
    where: [
      { field: 'kind', op: 'eq', value: 'token' },
      { field: 'cluster', op: 'eq', value: cluster },
      { field: 'role', op: 'exists', value: true },
      ...aliveIn({ from, to }).where,
    ],
    by: ['namespace', 'path', 'role', 'holder_id'],
    collect: [],
    limit: limits.evidenceRowsMax,
  });
  const rows = groups.map(
    ({ by: [namespace = '', path = '', role = '', holder = ''] }): RoleHolder => ({
      namespace,
      path,
      role,
      holder,
    }),
  );
  return { rows, complete };
}

type Use = { reads: number; last_read: string };

/** Reads by identity and secret; a role was used by whoever held a token of it. */
class Uses {
  private readonly reads = new Map<string, Use>();
  private readonly holders = new Map<string, RoleHolder[]>();

  constructor(did: readonly PopulationRow[], holders: readonly RoleHolder[]) {
    for (const { who, secret, reads, last_read } of did)
      this.add(`${who.id}\n${secret}`, { reads, last_read });
    for (const holder of holders) {
      const key = `${holder.namespace}\n${holder.role}`;
      const known = this.holders.get(key);
      if (known === undefined) this.holders.set(key, [holder]);
      else known.push(holder);
    }
  }

  of({ who }: CouldRow, secret: string, knowledge: Knowledge): Use | null {
    if (who.kind !== 'role') return this.reads.get(`${who.id}\n${secret}`) ?? null;
    const fact = knowledge.role(who.namespace, who.id);
    const ids = fact === undefined ? [] : this.holdersOf(fact);
    return together(ids.flatMap((id) => this.reads.get(`${id}\n${secret}`) ?? []));
  }

  private holdersOf({ namespace, value }: Fact<'role'>): string[] {
    const found = this.holders.get(`${namespace}\n${value?.role}`) ?? [];
    return [
      ...new Set(found.filter(({ path }) => path.startsWith(value?.mount ?? '')).map(({ holder }) => holder)),
    ];
  }

  private add(key: string, use: Use): void {
    this.reads.set(key, together([use, ...(this.reads.has(key) ? [this.reads.get(key) as Use] : [])]) as Use);
  }
}

function together(uses: Use[]): Use | null {
  if (uses.length === 0) return null;
  const last_read = uses
    .map((use) => use.last_read)
    .sort()
    .at(-1) as string;
  return { reads: uses.reduce((sum, { reads }) => sum + reads, 0), last_read };
}
