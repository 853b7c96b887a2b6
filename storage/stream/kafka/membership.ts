// Which partitions this process works on: what a Kafka group of all processes of a stage has given it.

import type { Assignment, Membership } from '../../../core/ports.ts';
import type { Joined, Link } from './link.ts';

/** Takes part in the group of a stage, which shares the partitions of `topic`. Rejects as `Link.join` does. */
export async function joinStage(link: Link, group: string, topic: string): Promise<Membership> {
  const membership = new KafkaMembership();
  membership.joined = await link.join(group, topic, (partitions) => membership.assign(partitions));
  return membership;
}

class KafkaMembership implements Membership {
  joined: Joined | undefined;
  private assignment: Assignment | undefined;
  private readonly listeners: (() => void)[] = [];

  /** In a process that stood still no timer has run: the clock is asked each time. */
  get current(): Assignment | undefined {
    this.joined?.check();
    return this.assignment;
  }

  onChange(listener: () => void): void {
    this.listeners.push(listener);
  }

  assign(partitions: readonly number[] | undefined): void {
    if (partitions === undefined && this.assignment === undefined) return;
    this.assignment = partitions === undefined ? undefined : { partitions };
    for (const listener of this.listeners) listener();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.assign(undefined);
    await this.joined?.[Symbol.asyncDispose]();
  }
}
