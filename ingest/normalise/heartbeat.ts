// Tells quiet from blind (guarantee 5): each look-up of sealwatch's own must come back on every device of its cluster.
//
// The answer names the call by its request id. Its lines may come before the answer or long after it, and the call may have
// gone out by then. A look-up is judged when event time has passed it by far enough that every line of it has come.

import type { Device } from '../../core/devices.ts';
import type { AuditEvent } from '../../core/event.ts';
import { limits } from '../../core/limits.ts';
import type { Answer } from '../../core/records.ts';
import { addSeconds } from '../../core/time.ts';
import type { Coverage } from './coverage.ts';

/** A look-up that was answered, and the devices that have shown it. */
interface Awaited {
  at: string;
  /** Event time at which it is judged. */
  due: string;
  shown: string[];
}

/** How the newest look-up that was judged went on a device. */
export interface Verdict {
  at: string;
  isSeen: boolean;
}

export interface HeartbeatState {
  awaited: [id: string, awaited: Awaited][];
  recent: [id: string, devices: string[]][];
  verdicts: [device: string, verdict: Verdict][];
  now: string;
}

export interface HeartbeatOptions {
  /** The cluster that is asked. */
  cluster: string;
  devices: readonly Device[];
  pairWaitSeconds: number;
  allowedLatenessSeconds: number;
}

const LOOKUP_PATH = 'auth/token/lookup-self';

export class Heartbeats {
  /** By device. */
  readonly verdicts: Map<string, Verdict>;
  private readonly coverage: Pick<Coverage, 'count'>;
  /** Names of the devices that each look-up must come back on. */
  private readonly devices: readonly string[];
  private readonly waitSeconds: number;
  private readonly awaited: Map<string, Awaited>;
  /** Look-ups, of anybody, that went out lately: the answer that names one of them may still be on its way. */
  private readonly recent: Map<string, string[]>;
  /** Event time when it was last asked for. */
  private now: string;

  constructor(options: HeartbeatOptions, coverage: Pick<Coverage, 'count'>, state?: HeartbeatState) {
    const { cluster, devices, pairWaitSeconds, allowedLatenessSeconds } = options;
    this.coverage = coverage;
    this.devices = devices
      .filter((device) => device.cluster === cluster && device.isFiltered !== true)
      .map(({ name }) => name);
    // The last line of a call comes so long after its time at most, or is late.
    this.waitSeconds = pairWaitSeconds + allowedLatenessSeconds + limits.heartbeatMarginSeconds;
    this.awaited = new Map(state?.awaited.map(([id, awaited]) => [id, copyOf(awaited)]));
    this.recent = new Map(state?.recent);
    this.verdicts = new Map(state?.verdicts);
    this.now = state?.now ?? '';
  }

  snapshot(): HeartbeatState {
    return {
      awaited: [...this.awaited].map(([id, awaited]) => [id, copyOf(awaited)]),
      recent: [...this.recent],
      verdicts: [...this.verdicts],
      now: this.now,
    };
  }

  /** The device shows a line of this call. */
  seen(id: string, device: string): void {
    // Nearly always nothing is awaited, and this is asked for every line.
    if (this.awaited.size === 0) return;
    const shown = this.awaited.get(id)?.shown;
    if (shown !== undefined && !shown.includes(device)) shown.push(device);
  }

  /** A call goes out: if it is a look-up, what is known of it is kept for an answer that is still to come. */
  wentOut({ vault }: AuditEvent, devices: readonly string[]): void {
    const { id, path } = vault.request;
    if (id === undefined || path === undefined || !path.endsWith(LOOKUP_PATH)) return;
    this.recent.set(id, [...devices]);
    if (this.recent.size > limits.heartbeatCallsMax) this.recent.delete(first(this.recent));
  }

  /**
   * What Vault answered. `shown` are the devices that have shown the call, while it waits; `isOut` when it went out. Without
   * an answer nothing can be judged.
   */
  answer(answer: Answer, shown: readonly string[] | undefined, isOut: boolean): void {
    if (answer.purpose !== 'heartbeat') return;
    const { at } = answer;
    const id = requestIdOf(answer);
    if (id === undefined) {
      for (const device of this.devices) this.coverage.count(device, at, 'heartbeat_unanswered');
      return;
    }
    const known = shown ?? this.recent.get(id);
    // It went out so long ago that nobody knows who showed it.
    if (known === undefined && isOut) return;
    // An answer that was read late is waited for as long as any other: its lines may come as late.
    const due = addSeconds(at > this.now ? at : this.now, this.waitSeconds);
    this.awaited.set(id, { at, due, shown: [...(known ?? [])] });
    if (this.awaited.size > limits.heartbeatsWaitingMax) this.awaited.delete(first(this.awaited));
  }

  /** Judges the look-ups that are due: event time has come to `now`. */
  judge(now: string): void {
    this.now = now;
    for (const [id, { at, due, shown }] of this.awaited) {
      if (due > now) continue;
      this.awaited.delete(id);
      for (const device of this.devices) this.conclude(device, at, shown.includes(device));
    }
  }

  private conclude(device: string, at: string, isSeen: boolean): void {
    this.coverage.count(device, at, isSeen ? 'heartbeat_seen' : 'heartbeat_missed');
    if (at >= (this.verdicts.get(device)?.at ?? '')) this.verdicts.set(device, { at, isSeen });
  }
}

/** The id under which the devices show the look-up; undefined when Vault did not answer, or refused. */
export function requestIdOf({ response }: Answer): string | undefined {
  const id = response?.['request_id'];
  return typeof id === 'string' && id !== '' ? id : undefined;
}

const copyOf = ({ at, due, shown }: Awaited): Awaited => ({ at, due, shown: [...shown] });
const first = (map: ReadonlyMap<string, unknown>): string => map.keys().next().value as string;
