// What each stage may do in Kafka and no more: deploy/kafka/acls.sh is made from this, and a test tries it on a real broker.

import { type StageName, type Topic, topics } from '../../../core/records.ts';
import { MEMORY } from '../../replica/topic.ts';
import { SNAPSHOTS } from './topics.ts';

/** Topics by their names without the configured prefix; one that ends in a dot or a hyphen stands for all that begin so. */
interface StageRights {
  reads: readonly string[];
  writes: readonly string[];
  /** Deletes records that nobody needs any more. Kafka has one right for that and for deleting the topic. */
  deletes?: readonly string[];
  /** Groups of its snapshots (`Stream.saveSnapshot`). */
  snapshots?: readonly string[];
}

/** All topics begin so, all groups begin with `GROUPS`. */
const TOPICS = 'vault.audit.';
const GROUPS = 'sealwatch.';

const { raw, events, leases, alerts, coverage, credentials, groups, changes } = topics;
const all: readonly Topic[] = Object.values(topics);
const indexed = [events, leases, alerts, coverage, credentials, changes];
const ledgerMemory = `${MEMORY}ledger`;

/** All snapshots lie on one topic. */
const withSnapshots = (snapshots: readonly string[], { reads, writes }: StageRights): StageRights => ({
  snapshots,
  reads: [...reads, SNAPSHOTS],
  writes: [...writes, SNAPSHOTS],
});

/**
 * A stage reads what it wrote, too: after a crash it looks which of it is there already. `run` does the work of all of them.
 * Beside this each may see that topics are there and how they are set, and the offsets of all groups, by which it knows what is
 * still needed.
 */
export const stageRights: Record<StageName, StageRights> = {
  collect: withSnapshots(['drain'], { reads: [], writes: [raw] }),
  normalise: withSnapshots(['normalise'], {
    reads: [raw, events, coverage, credentials],
    writes: [events, coverage, credentials],
  }),
  ledger: withSnapshots(['ledger'], {
    reads: [credentials, leases, ledgerMemory],
    writes: [leases, raw, ledgerMemory],
  }),
  detect: withSnapshots(['detect', 'rules-in-force'], {
    reads: [events, groups, leases, coverage, changes, alerts, `${MEMORY}detect-`],
    writes: [groups, alerts, changes, `${MEMORY}detect-`],
  }),
  // What people did is kept for ever.
  index: { reads: indexed, writes: [], deletes: all.filter((topic) => topic !== changes) },
  // Those that log in to Vault tell of it on raw.
  deliver: withSnapshots(['deliver'], { reads: [alerts], writes: [raw] }),
  serve: { reads: [changes], writes: [changes, raw] },
};

export interface Grant {
  /** Names of `users`, without what stands before each. */
  users: readonly string[];
  operation: 'Describe' | 'DescribeConfigs' | 'Read' | 'Write' | 'Delete' | 'Create' | 'AlterConfigs';
  topics: readonly string[];
  groups: readonly string[];
  /** The names are how names begin, else whole names. */
  isPrefix: boolean;
}

/** One user for each stage, one for `run`, one for `doctor --fix`; stages first. */
export const users = [...(Object.keys(stageRights) as StageName[]), 'run', 'doctor'] as const;

/** The whole list of what is granted; names without the configured prefix. */
export function grants(): Grant[] {
  const onAll = (
    operation: Grant['operation'],
    who: readonly string[],
    of = [TOPICS],
    groupsOf = [GROUPS],
  ) => ({
    users: who,
    operation,
    topics: of,
    groups: groupsOf,
    isPrefix: true,
  });
  return [
    onAll('Describe', users),
    onAll('DescribeConfigs', users, [TOPICS], []),
    ...Object.entries(stageRights).flatMap(([stage, rights]) => ofStage(stage, rights)),
    onAll('Read', ['run']),
    onAll('Write', ['run'], [TOPICS], []),
    onAll('Delete', ['run'], [TOPICS], []),
    onAll('Create', ['doctor'], [TOPICS], []),
    onAll('AlterConfigs', ['doctor'], [TOPICS], []),
  ];
}

const isPrefix = (name: string) => /[.-]$/.test(name);

function ofStage(stage: string, { reads, writes, deletes = [], snapshots = [] }: StageRights): Grant[] {
  const on = (operation: Grant['operation'], names: readonly string[], groupsOf: string[] = []): Grant[] =>
    [false, true].flatMap((byPrefix) => {
      const [of, ofGroups] = [names, groupsOf].map((some) =>
        some.filter((one) => isPrefix(one) === byPrefix),
      );
      const none = of?.length === 0 && ofGroups?.length === 0;
      return none
        ? []
        : [{ users: [stage], operation, topics: of ?? [], groups: ofGroups ?? [], isPrefix: byPrefix }];
    });
  // Reading a group is committing its offsets and being its member; `ledger` is a whole name, and begins no other.
  const own = [`${GROUPS}${stage}`, `${GROUPS}${stage}-`, `${GROUPS}${stage}.`];
  const ofSnapshots = snapshots.map((group) => `${GROUPS}snapshots.${group}-`);
  return [...on('Read', reads, [...own, ...ofSnapshots]), ...on('Write', writes), ...on('Delete', deletes)];
}
