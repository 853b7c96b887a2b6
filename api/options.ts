// What the API needs from whoever starts it.

import type { FastifyBaseLogger } from 'fastify';
import type { Level } from '../core/alert.ts';
import type { Device } from '../core/devices.ts';
import type { EvidenceReader, Recorder } from '../core/ports.ts';
import type { KeyRing, Role } from './auth.ts';
import type { PostureSettings } from './posture/settings.ts';

/** What every process tells of itself. */
export interface ServiceOptions {
  keys: KeyRing;
  /** Prometheus text. */
  metrics(): Promise<string>;
  /** A reason may also say why there is nothing to do: then it is ready all the same. */
  ready(): { ready: boolean; reasons: string[] };
  logger: FastifyBaseLogger;
}

export interface ApiOptions extends ServiceOptions {
  reader: EvidenceReader;
  /** Keeps what people say of alerts. */
  recorder: Recorder;
  /** Configured audit devices in order of rank: what coverage is held against. */
  devices: readonly Device[];
  /** Configured names of Vault nodes by their address. */
  nodes: Readonly<Record<string, string>>;
  /** Name of the Vault cluster, shown in evidence. */
  cluster: string;
  /** Version of sealwatch, shown in evidence and in the OpenAPI document. */
  version: string;
  /** As they are now: rules change while sealwatch runs. */
  rules(): readonly RuleInfo[];
  /** What posture is held against. */
  posture: PostureSettings;
  /** Called before the answer to each call of /v1/evidence leaves; when it throws, no evidence is given out. */
  recordAccess(entry: AccessEntry): void;
  now(): Date;
}

/** A rule or behaviour as it is in force. */
export interface RuleInfo {
  id: string;
  title: string;
  level: Level;
  /** `event`, the type of a correlation such as `event_count`, or `behaviour`. */
  type: string;
  version: string;
  description: string;
  /** Where it stands: a file, without the folder it lies in. */
  file: string;
  techniques: readonly string[];
  /** Fields by which it is counted. */
  groups: readonly string[];
  /** How long a behaviour learns; absent for what needs no learning. */
  learning?: string;
  /** Absent where nobody knows: whoever judges is another process. */
  enabled?: boolean;
  /** Why it is switched off. */
  why?: string;
}

/** Who looked at evidence. `key` and `role` are null for a call without a known key, `control` for the list of controls. */
export interface AccessEntry {
  at: string;
  key: string | null;
  role: Role | null;
  control: string | null;
  query: Record<string, string>;
  ip: string;
  status: number;
  /** Rows of the population given out. */
  rows: number;
}
