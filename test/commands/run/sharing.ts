// Two pipelines in one process that share the partitions of one stream, as two processes share those of Kafka: partitions move at
// any moment, memories know their owner, and retention deletes what it may.

import { setImmediate } from 'node:timers/promises';
import { Pipeline } from '../../../commands/run/pipeline.ts';
import { DetectStage } from '../../../commands/run/stages/detect.ts';
import { IndexStage } from '../../../commands/run/stages/index.ts';
import { LedgerStage } from '../../../commands/run/stages/ledger.ts';
import { NormaliseStage } from '../../../commands/run/stages/normalise.ts';
import type { Stage } from '../../../commands/run/stages/stage.ts';
import { auditDevices, type Device } from '../../../core/devices.ts';
import { noLists } from '../../../core/lists.ts';
import type { Assignment, EvidenceWriter, Membership, Stream } from '../../../core/ports.ts';
import { slowCallNanos } from '../../../core/time.ts';
import { allBehaviours } from '../../../detectors/behaviours/all.ts';
import type { EmbeddedStream } from '../../../storage/stream/embedded/stream.ts';
import { MapMemory } from '../../ingest/ledger/memory.ts';
import { rules } from '../../permuter/permute.ts';
import { time } from '../../permuter/world.ts';

/** What lasts of every memory, by its name; whoever opened it last owns it, and nobody else commits. */
export class FakeReplicas {
  private readonly kept = new Map<string, FakeReplica>();
  private readonly owners = new Map<string, number>();
  /** Commits that were refused, because another had taken the memory over. */
  refused = 0;

  /** `gate` stands before each commit. */
  open(name: string, gate: Gate): FakeReplica {
    const owner = (this.owners.get(name) ?? 0) + 1;
    this.owners.set(name, owner);
    return copied(this.kept.get(name), async (memory) => {
      await gate.pass('commit');
      if (this.owners.get(name) === owner) this.kept.set(name, copied(memory));
      else {
        this.refused++;
        throw new Error('another has taken this memory over');
      }
    });
  }
}

class FakeReplica extends MapMemory {
  private readonly onCommit: (memory: FakeReplica) => Promise<void>;

  constructor(onCommit: (memory: FakeReplica) => Promise<void>) {
    super();
    this.onCommit = onCommit;
  }

  override async commit(...[place]: Parameters<MapMemory['commit']>): Promise<void> {
    await super.commit(place);
    await this.onCommit(this);
  }

  openRows(): number {
    return 0;
  }
}

function copied(
  from: MapMemory | undefined,
  onCommit: (memory: FakeReplica) => Promise<void> = async () => {},
) {
  const copy = new FakeReplica(onCommit);
  if (from === undefined) return copy;
  for (const [id, text] of from['rows']) copy['rows'].set(id, text);
  for (const [space, values] of from['spaces']) copy['spaces'].set(space, new Map(values));
  copy['committed'] = from['committed'];
  return copy;
}

/** The share of one pipeline in one stage. */
class FakeMembership implements Membership {
  current: Assignment | undefined;
  private listener = () => {};

  onChange(listener: () => void): void {
    this.listener = listener;
  }

  become(partitions: readonly number[] | undefined): void {
    this.current = partitions === undefined ? undefined : { partitions };
    this.listener();
  }

  async [Symbol.asyncDispose]() {}
}

/** What a pipeline does to what lasts: to the stream, and to a memory that knows its owner. */
export type Passed = 'write' | 'commit';

/** Where a pipeline is held up in the middle of whatever it does. */
class Gate {
  private opened: Promise<void> | undefined;
  private left = 0;
  private at: Passed | 'anything' = 'anything';
  private open = () => {};
  private onFrozen = () => {};

  /** Lets so many calls of a kind pass; what it gives resolves when the next is held up. */
  freezeAfter(calls: number, at: Passed | 'anything'): Promise<void> {
    this.left = calls;
    this.at = at;
    this.opened = new Promise((resolve) => {
      this.open = resolve;
    });
    return new Promise((resolve) => {
      this.onFrozen = resolve;
    });
  }

  thaw(): void {
    this.open();
    this.opened = undefined;
  }

  async pass(what: Passed): Promise<void> {
    if (this.opened === undefined || (this.at !== 'anything' && this.at !== what)) return;
    if (this.left-- > 0) return;
    this.onFrozen();
    await this.opened;
  }
}

/** The same stream, that lets others have their turn before it does anything, and waits at `gate` before it writes. */
function slow(stream: EmbeddedStream, random: () => number, gate: Gate): Stream {
  const written = ['flush', 'saveSnapshot', 'commit'];
  const methods = [...written, 'read', 'loadSnapshot'];
  return new Proxy(stream, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      if (!methods.includes(String(name))) return value.bind(target);
      return async (...args: unknown[]) => {
        for (let turns = Math.floor(random() * 3); turns > 0; turns--) await setImmediate();
        if (written.includes(String(name))) await gate.pass('write');
        return value.apply(target, args);
      };
    },
  });
}

interface SharedOptions {
  stream: EmbeddedStream;
  random: () => number;
  writer: EvidenceWriter;
  replicas: FakeReplicas;
  devices: Device[];
  now: () => number;
}

export interface Sharer {
  gate: Gate;
  pipeline: Pipeline;
  memberships: FakeMembership[];
  /** The last of what went wrong with it. */
  said: string[];
}

/** A pipeline of all stages that has no partitions yet. */
export function sharer({ random, writer, replicas, devices, now, ...shared }: SharedOptions): Sharer {
  const gate = new Gate();
  const stream = slow(shared.stream, random, gate);
  const said: string[] = [];
  const say = (fields: object, message: string) => void said.push(`${message} ${JSON.stringify(fields)}`);
  const logger = { debug() {}, info() {}, warn: say, error: say };
  const stages: Stage[] = [
    new NormaliseStage({ stream, cluster: 'test', devices, time }),
    new LedgerStage({
      ...{ stream, cluster: 'test', now, ...auditDevices(devices) },
      openLedger: async () => replicas.open('ledger', gate),
    }),
    new DetectStage({
      ...{ stream, rules, lists: noLists, behaviours: allBehaviours, cluster: 'test' },
      slowCallNanos: slowCallNanos(time),
      openDetector: async (name) => replicas.open(name, gate),
    }),
    new IndexStage({ stream, writer, logger, now, retention: { streamHours: 1, eventDays: 400 } }),
  ];
  const members = stages.map((stage) => ({ stage, membership: new FakeMembership() }));
  const pipeline = new Pipeline({ stream, members, logger, now });
  return { gate, pipeline, memberships: members.map(({ membership }) => membership), said };
}
