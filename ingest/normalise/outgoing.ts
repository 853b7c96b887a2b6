// What goes out: the event of a call, what it counts as, and what it tells of hashes and nodes; or the reject of a line.

import type { AuditEvent } from '../../core/event.ts';
import type {
  Answer,
  CoverageRow,
  CredentialCall,
  HashPair,
  LineFault,
  NodeSeen,
  Reject,
} from '../../core/records.ts';
import type { Clusters } from './clusters.ts';
import { countPairs, countUnpaired } from './counts.ts';
import type { Coverage } from './coverage.ts';
import { CredentialCalls, type TokensState } from './credentials.ts';
import { type Entry, parseEntry } from './entry.ts';
import { buildEvent } from './event.ts';
import { flagsOf } from './flags.ts';
import { type HashesState, HashPairs } from './hashes.ts';
import type { Heartbeats } from './heartbeat.ts';
import { hostOf, NodesSeen } from './nodes.ts';
import { type Chosen, type Copy, chosen, devicesOf, namesOf, nodesOf, type PendingCall } from './pairing.ts';
import { rejectOf } from './rejects.ts';
import { repeats } from './repeat.ts';

/** Where the normaliser puts what it makes; the caller knows topics and partitions. */
export interface NormaliserSink {
  event(event: AuditEvent, text: string): void;
  /** A call that the ledger works on; `text`: canonical JSON of its event. */
  credential(call: CredentialCall, text: string): void;
  answer(answer: Answer): void;
  reject(reject: Reject): void;
  coverage(row: CoverageRow): void;
  hashes(pair: HashPair): void;
  node(seen: NodeSeen): void;
  /** Nothing older than `time` will come that is not late. */
  watermark(time: string): void;
}

export interface OutgoingState {
  hashes: HashesState;
  nodes: [id: string, hour: string][];
  tokens: TokensState;
}

interface OutgoingParts {
  clusters: Clusters;
  coverage: Coverage;
  heartbeats: Pick<Heartbeats, 'wentOut'>;
}

export class Outgoing {
  readonly counters = { events: 0, rejects: 0 };
  private readonly sink: NormaliserSink;
  private readonly clusters: Clusters;
  private readonly coverage: Coverage;
  private readonly heartbeats: Pick<Heartbeats, 'wentOut'>;
  private readonly hashes: HashPairs;
  private readonly nodes: NodesSeen;
  private readonly credentials: CredentialCalls;

  constructor(
    sink: NormaliserSink,
    { clusters, coverage, heartbeats }: OutgoingParts,
    state?: OutgoingState,
  ) {
    this.sink = sink;
    this.clusters = clusters;
    this.coverage = coverage;
    this.heartbeats = heartbeats;
    this.hashes = new HashPairs(state?.hashes);
    this.nodes = new NodesSeen(state?.nodes);
    this.credentials = new CredentialCalls(state?.tokens);
  }

  /** It is state: what goes out, and so the causes that a restart finds, hang on it. */
  snapshot(): OutgoingState {
    return {
      hashes: this.hashes.snapshot(),
      nodes: this.nodes.snapshot(),
      tokens: this.credentials.snapshot(),
    };
  }

  /** The half of a slow call, whose answer may be here already. */
  half(call: PendingCall): void {
    this.build(call, { request: chosen(call, this.clusters.ranks).request, response: undefined });
    call.halfSent = true;
  }

  /** The call as it is; `live` are the devices that were heard of: of the others no gap can be known. */
  call(call: PendingCall, live: ReadonlySet<string>): void {
    const copies = chosen(call, this.clusters.ranks);
    const { request, response } = copies;
    if (request !== undefined && response !== undefined) {
      const shown = devicesOf(call);
      countUnpaired(this.coverage, call.unpaired, -1);
      const { whole } = this.clusters.of(shown[0] as string);
      // Others may have shown it when it went out before.
      const expected = call.again ? [] : whole.filter((device) => live.has(device));
      countPairs(this.coverage, call, request.time, shown, expected);
    } else this.countHalf(call, (request ?? response) as Copy);
    this.build(call, copies);
  }

  private countHalf(call: PendingCall, { time }: Copy): void {
    const devices = devicesOf(call);
    if (call.lone) this.coverage.countAll(devices, time, 'by_design', 1);
    else {
      const lacks = call.request.length === 0 ? 'no_request' : 'no_response';
      call.unpaired = { devices, time, lacks };
      countUnpaired(this.coverage, call.unpaired, 1);
    }
  }

  /** A line that our own code stumbles over must not stop those behind it, now and after every restart. */
  private build(call: PendingCall, copies: Chosen): void {
    try {
      this.buildOrThrow(call, copies);
    } catch {
      const { line, device, time } = (copies.response ?? copies.request) as Copy;
      this.reject(line, device, time, 'internal');
    }
  }

  private buildOrThrow(call: PendingCall, { request, response }: Chosen): void {
    const answered = response && this.parse(response);
    const isNeeded =
      answered === undefined || (request !== undefined && !repeats(request, response as Copy, answered));
    const asked = request !== undefined && isNeeded ? this.parse(request) : undefined;
    const main = answered ?? asked;
    if (main === undefined) return;
    const shown = response === undefined ? namesOf(call.request) : devicesOf(call);
    const cluster = this.clusters.of(shown[0] as string);
    const built = buildEvent({
      id: call.id,
      requestId: call.requestId,
      isAgain: call.again,
      cluster: cluster.name,
      devices: shown,
      nodes: response === undefined ? nodesOf(call.request) : nodesOf(call.request, call.response),
      flags: flagsOf(call, shown, response !== undefined, cluster.files),
      requestTime: request?.time,
      request: asked,
      response: answered,
      lines: [request?.line, answered && response?.line].filter((line) => line !== undefined),
    });
    this.counters.events++;
    this.sink.event(built.event, built.text);
    const told = this.credentials.of(built.event, main);
    if (told !== undefined) this.sink.credential(told, built.text);
    this.heartbeats.wentOut(built.event, shown);
    this.learn(call, main, answered === undefined ? request : response);
    const host = built.event.vault.forwarded_from && hostOf(built.event.vault.forwarded_from);
    if (
      host &&
      this.clusters.isTrusted(main === answered ? (response as Copy).device : (request as Copy).device)
    )
      this.node(host, cluster.name, 'forwarded_from', built.event['@timestamp']);
  }

  /** Hash pairs of a call that several devices have shown. */
  private learn(call: PendingCall, main: Entry, ranked: Copy | undefined): void {
    const copies = ranked !== undefined && call.response.includes(ranked) ? call.response : call.request;
    if (copies.length < 2 || ranked === undefined) return;
    const trusted = copies.filter(({ device }) => this.clusters.isTrusted(device));
    if (trusted.includes(ranked)) this.hashes.learn(main, ranked, trusted, (pair) => this.sink.hashes(pair));
  }

  node(node: string, cluster: string, how: NodeSeen['how'], time: string): void {
    this.nodes.see(node, cluster, how, time, (seen) => this.sink.node(seen));
  }

  private parse(copy: Copy): Entry | undefined {
    const result = parseEntry(copy.line, copy.start);
    if (result.ok) return result.entry;
    this.reject(copy.line, copy.device, copy.time, result.reason);
    return undefined;
  }

  /**
   * `time`: of the line, else where event time has come to; undefined while that is not known. `bytes`: of the line as it came,
   * when it was withheld.
   */
  reject(
    line: Buffer,
    device: string,
    time: string | undefined,
    reason: LineFault,
    bytes = line.length,
  ): void {
    this.counters.rejects++;
    this.coverage.count(device, time, 'rejected');
    this.coverage.count(device, time, `rejected_${reason}`);
    this.sink.reject(rejectOf(line, device, reason, { time, bytes }));
  }
}
