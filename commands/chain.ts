// The stages joined in memory, for recorded logs: intake -> normalisers -> ledger, detector. `run` joins the same stages
// through the stream.

import type { Alert } from '../core/alert.ts';
import type { Config } from '../core/config.ts';
import { auditDevices, type Device } from '../core/devices.ts';
import type { Fact } from '../core/directory.ts';
import type { AuditEvent } from '../core/event.ts';
import type { Lease } from '../core/lease.ts';
import { limits } from '../core/limits.ts';
import type { Lists } from '../core/lists.ts';
import type { LedgerMemory, NewRecord } from '../core/ports.ts';
import type { Answer, CoverageRow, HashPair, NodeSeen, Question, Reject } from '../core/records.ts';
import { addSeconds, END_OF_TIME, slowCallNanos } from '../core/time.ts';
import { LostLines } from '../detectors/engine/lost.ts';
import { OwnTraffic } from '../detectors/engine/own.ts';
import type { RuleSet } from '../detectors/engine/rule-set.ts';
import { WholeDetector, type WholeOptions } from '../detectors/engine/whole.ts';
import { Framer } from '../ingest/collector/framer.ts';
import { Intake } from '../ingest/collector/intake.ts';
import type { Redactor } from '../ingest/collector/redact.ts';
import { ledgerParts } from '../ingest/ledger/join.ts';
import { Ledger } from '../ingest/ledger/ledger.ts';
import { Normaliser } from '../ingest/normalise/normaliser.ts';

export interface ChainSink {
  event(event: AuditEvent, text: string): void;
  /** A lease or token as it is now; of revisions of one id the highest holds. */
  lease(revision: number, body: Lease): void;
  fact(fact: Fact): void;
  reject(reject: Reject): void;
  /** Absolute counts; of rows with one id the last holds. */
  coverage(row: CoverageRow): void;
  hashes(pair: HashPair): void;
  node(seen: NodeSeen): void;
  /** The last state of alerts that are new or changed. */
  alerts(alerts: { revision: number; body: Alert }[]): void;
  /** All events at or before `time` that are not late have been handed over. */
  watermark(time: string): void;
}

export interface ChainOptions {
  cluster: string;
  devices: Device[];
  partitions: number;
  time: Config['time'];
  callers?: Config['callers'];
  /** Paths of sealwatch's own secrets in Vault: it reads them itself. */
  ownSecrets?: readonly string[];
  rules: RuleSet;
  lists?: Lists;
  /** Without them nothing is learned. */
  learned?: WholeOptions['learned'];
  redactor: Redactor;
  /** Without a memory there is no ledger: whoever wants events alone needs none. */
  ledger?: { memory: LedgerMemory; answer?: (question: Question) => Answer | undefined };
  sink: ChainSink;
}

/** A replay has no wall clock: a time far ahead of every line lets each of them move its device's time. */
const NO_WALL_CLOCK = Number.MAX_SAFE_INTEGER;

export class Chain {
  readonly intake: Intake;
  private readonly options: ChainOptions;
  private readonly normalisers: Normaliser[];
  private readonly framers: Map<string, Framer>;
  private readonly detector: WholeDetector;
  private readonly lost: LostLines;
  private readonly own: OwnTraffic;
  readonly ledger: Ledger | undefined;
  private readonly watermarks: string[];
  private readonly unfinished: Set<string>;
  private watermark = '';
  /** Time of the latest call. */
  private last = '';
  private offset = 0;

  constructor(options: ChainOptions) {
    this.options = options;
    const { devices, partitions, redactor, rules, cluster, time } = options;
    this.detector = new WholeDetector({
      ...{ rules, cluster, slowCallNanos: slowCallNanos(time), ownSecrets: options.ownSecrets },
      ...(options.lists !== undefined && { lists: options.lists }),
      ...(options.learned !== undefined && { learned: options.learned }),
    });
    this.lost = new LostLines(cluster);
    this.own = new OwnTraffic(cluster, undefined, options.ownSecrets);
    this.ledger = this.makeLedger();
    this.watermarks = Array.from({ length: partitions }, () => '');
    this.normalisers = this.watermarks.map((_, partition) => this.normaliser(partition));
    this.intake = new Intake(
      { partitions, append: (_topic, partition, records) => this.take(partition, records) },
      redactor,
    );
    this.unfinished = new Set(devices.map(({ name }) => name));
    this.framers = new Map(devices.map(({ name }) => [name, this.framer(name)]));
  }

  private makeLedger(): Ledger | undefined {
    const { cluster, devices, partitions, sink, ledger } = this.options;
    if (ledger === undefined) return undefined;
    return new Ledger({
      memory: ledger.memory,
      partitions,
      parts: ledgerParts({ cluster, ...auditDevices(devices) }),
      sink: {
        lease: (revision, body) => this.lease(revision, body),
        fact: (fact) => sink.fact(fact),
        own: (token) => this.own.own(token),
        watermark: (time) => this.detector.ledger(time),
        ask: (question) => {
          const answer = ledger.answer?.(question);
          if (answer !== undefined) this.ledger?.record('answer', answer, 0);
        },
      },
    });
  }

  private framer(device: string): Framer {
    const source = this.intake.source({ device });
    return new Framer({
      line: (bytes, from, to) => this.intake.line(source, bytes, from, to, NO_WALL_CLOCK),
      lost: (reason, bytes) => this.intake.lost(source.feed, reason, bytes),
    });
  }

  private normaliser(partition: number): Normaliser {
    const { cluster, devices, time, callers = [], sink } = this.options;
    return new Normaliser({
      partition,
      cluster,
      devices,
      callers,
      ...time,
      keepsLines: true,
      sink: {
        event: (event, text) => this.event(event, text),
        reject: (reject) => {
          sink.reject(reject);
          this.lost.reject(reject);
        },
        coverage: (row) => sink.coverage(row),
        hashes: (pair) => {
          sink.hashes(pair);
          this.ledger?.record('hashes', pair, 0);
        },
        credential: (call) => this.ledger?.record('credential', call, 0),
        answer: (answer) => this.ledger?.record('answer', answer, 0),
        node: (seen) => sink.node(seen),
        watermark: (reached) => this.advance(partition, reached),
      },
    });
  }

  private lease(revision: number, body: Lease): void {
    this.options.sink.lease(revision, body);
    this.detector.lease(body, revision, this.ledger?.time ?? '');
  }

  private event(event: AuditEvent, text: string): void {
    const { sink } = this.options;
    sink.event(event, text);
    this.detector.event(event);
    if (event['@timestamp'] > this.last) this.last = event['@timestamp'];
  }

  private take(partition: number, records: readonly NewRecord[]): void {
    for (const { kind, head, bytes, value } of records) {
      const payload = head === undefined || bytes === undefined ? nothing : Buffer.concat([head, bytes]);
      (this.normalisers[partition] as Normaliser).record({
        kind,
        bytes: payload,
        value,
        offset: this.offset++,
        cause: undefined,
        text: '',
      });
    }
    // Nothing waits for a disk here.
    this.intake.settleAll();
  }

  /** Bytes of a device's log, in any chunks. */
  push(device: string, chunk: Buffer): void {
    this.framers.get(device)?.push(chunk);
  }

  /** The log of `device` has no more: its last line may lack a newline, and it holds time back no longer. */
  finishDevice(device: string): void {
    this.framers.get(device)?.endAsLine();
    this.unfinished.delete(device);
  }

  /** The time that an unfinished device has come to; empty before its first line. */
  timeOf(device: string): string {
    return this.intake.devices(NO_WALL_CLOCK)[device] ?? '';
  }

  /** Lets time pass to where the slowest unfinished device is, less the slack that makes order inside it not matter. */
  tick(): void {
    const times = this.intake.devices(NO_WALL_CLOCK);
    const reached = [...this.unfinished].map((device) => times[device]);
    if (reached.length === 0 || reached.some((time) => time === undefined)) return;
    const devices = Object.fromEntries(
      [...this.unfinished].map((device) => [
        device,
        addSeconds(times[device] as string, -limits.replaySlackSeconds),
      ]),
    );
    for (const normaliser of this.normalisers)
      normaliser.record({ ...tickRecord, offset: this.offset++, value: { devices } });
  }

  /** Everything out: halves that wait, windows that are open. */
  finish(): void {
    this.intake.tick(NO_WALL_CLOCK, {});
    for (const normaliser of this.normalisers) normaliser.finish();
    // Time goes no further than the log: what lives at its end is alive.
    this.ledger?.finish(this.last);
    this.detector.advance(this.last);
    for (const partition of this.watermarks.keys()) this.advance(partition, END_OF_TIME);
  }

  /**
   * Looks for calls that go by sealwatch's name and are not its own: after `finish`, when every token of its own is known. Before,
   * it would hang on how far the ledger is when an event comes. `eachEvent` hands over all that went out, in order of time.
   */
  async judgeOwn(eachEvent: (take: (event: AuditEvent) => void) => Promise<void>): Promise<void> {
    if (!this.own.hasTokens) return;
    await eachEvent((event) => {
      this.own.event(event);
      this.own.ledger(event['@timestamp']);
    });
    this.own.ledger(END_OF_TIME);
    this.options.sink.alerts(this.own.take());
  }

  private advance(partition: number, reached: string): void {
    this.watermarks[partition] = reached;
    if (reached !== END_OF_TIME) this.ledger?.record('watermark', { source: partition, time: reached }, 0);
    const lowest = this.watermarks.reduce((low, time) => (time < low ? time : low), reached);
    if (lowest <= this.watermark) return;
    this.watermark = lowest;
    this.detector.advance(lowest);
    const { alerts } = this.detector.take();
    this.options.sink.alerts([...alerts, ...this.lost.take()]);
    this.options.sink.watermark(lowest);
  }
}

const nothing = Buffer.alloc(0);
const tickRecord = { kind: 'tick', offset: 0, cause: undefined, bytes: nothing, text: '' } as const;
