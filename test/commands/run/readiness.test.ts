// What a process says of itself: it stands by only when it is known that others have the work; what it cannot load is a failure.

import { expect, it } from 'vitest';
import { Pipeline } from '../../../commands/run/pipeline.ts';
import { readiness } from '../../../commands/run/report.ts';
import type { Stage } from '../../../commands/run/stages/stage.ts';
import type { Assignment, Membership } from '../../../core/ports.ts';
import type { Logger } from '../../../core/telemetry.ts';
import { MemorySpool } from '../../ingest/collector/spool.ts';

const logger = { error() {}, warn() {}, info() {}, debug() {} } as unknown as Logger;

class Loading implements Stage {
  readonly name = 'detect' as const;
  canLoad = true;

  async assign(partitions: readonly number[]): Promise<void> {
    if (partitions.length > 0 && !this.canLoad) throw new Error('a disk that refuses');
  }
  step = async () => 0;
  commit = async () => {};
  save = async () => {};
  needs = () => new Map();
  metrics = () => ({});
  async [Symbol.asyncDispose](): Promise<void> {}
}

function play() {
  const stage = new Loading();
  const membership: Membership & { current: Assignment | undefined } = {
    current: undefined,
    onChange() {},
    async [Symbol.asyncDispose]() {},
  };
  let nowMs = 0;
  const pipeline = new Pipeline({
    stream: new MemorySpool(1),
    members: [{ stage, membership }],
    logger,
    now: () => nowMs,
  });
  const said = async () => {
    nowMs += 10_000;
    await pipeline.turn();
    return readiness([], pipeline.metrics());
  };
  return { stage, membership, said };
}

it('without an assignment it waits: nobody may have the partitions', async () => {
  const { said } = play();
  expect(await said()).toEqual({
    ready: true,
    reasons: ['detect waits for its partitions: they are shared out or loaded, or Kafka is away'],
  });
});

it('with none of the partitions it stands by, with some it works', async () => {
  const { membership, said } = play();
  membership.current = { partitions: [] };
  const reasons = ['detect stands by: other processes have its partitions'];
  expect(await said()).toEqual({ ready: true, reasons });
  membership.current = { partitions: [0] };
  expect(await said()).toEqual({ ready: true, reasons: [] });
});

it('what cannot be loaded is not said to be with others', async () => {
  const { stage, membership, said } = play();
  stage.canLoad = false;
  membership.current = { partitions: [0] };
  const { ready, reasons } = await said();
  expect([ready, reasons[0]]).toEqual([false, 'what a stage knows cannot be loaded']);
  expect(reasons.join()).not.toContain('other processes');
  stage.canLoad = true;
  expect(await said()).toEqual({ ready: true, reasons: [] });
});
