// An API over an embedded store in a folder of its own, with a key for each role, its log and its record of accesses.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance, LightMyRequestResponse } from 'fastify';
import { pino } from 'pino';
import { buildApi } from '../../api/app.ts';
import { keyDigest, type Role, roles } from '../../api/auth.ts';
import type { AccessEntry, ApiOptions } from '../../api/options.ts';
import type { JsonObject } from '../../core/event.ts';
import type { EvidenceBatch, EvidenceReader, EvidenceWriter } from '../../core/ports.ts';
import { openEvidenceReader } from '../../storage/evidence/embedded/reader.ts';
import { openEvidenceWriter } from '../../storage/evidence/embedded/writer.ts';
import { batchOf } from '../contract/evidence-store.ts';

export const keyOf = (role: Role): string => `key-of-the-${role}-0123456789`;

export class Harness implements AsyncDisposable {
  readonly app: FastifyInstance;
  readonly writer: EvidenceWriter;
  readonly accesses: AccessEntry[] = [];
  readonly log: string[] = [];
  nowMs = Date.parse('2026-10-01T12:00:00Z');
  readonly reader: EvidenceReader;
  private readonly folder: string;

  constructor(folder: string, options: Partial<ApiOptions>) {
    this.folder = folder;
    this.writer = openEvidenceWriter(join(folder, 'evidence.db'));
    this.reader = openEvidenceReader(join(folder, 'evidence.db'));
    this.app = buildApi({
      reader: this.reader,
      recorder: { record: (kind, value) => this.record(kind, value) },
      keys: roles.map((role) => ({ name: `the-${role}`, role, digest: keyDigest(keyOf(role)) })),
      cluster: 'test',
      devices: [{ name: 'file', cluster: 'test', origin: 'local', isFile: true }],
      nodes: {},
      version: '0.0.0',
      posture: {
        leaseSeconds: 3600,
        tokenSeconds: 43_200,
        staticTokenSeconds: 86_400,
        rotationSeconds: 7_776_000,
      },
      rules: () => [
        {
          ...{ id: 'rule-1', title: 'A rule', level: 'high', version: '1', enabled: true, type: 'event' },
          ...{ description: 'what it finds', file: 'rule.yml', techniques: ['T1'], groups: ['user.id'] },
        },
      ],
      recordAccess: (entry) => void this.accesses.push(entry),
      metrics: async () => 'up 1\n',
      ready: () => ({ ready: true, reasons: [] }),
      now: () => new Date(this.nowMs),
      logger: pino({ level: 'trace' }, { write: (line: string) => void this.log.push(line) }),
      ...options,
    });
  }

  static async open(batch?: EvidenceBatch, options: Partial<ApiOptions> = {}): Promise<Harness> {
    const harness = new Harness(await mkdtemp(join(tmpdir(), 'sealwatch-api-')), options);
    if (batch !== undefined) await harness.writer.write(batch);
    return harness;
  }

  /** What the stream and the indexer do in `run`. */
  private async record(kind: 'change' | 'triage', value: JsonObject): Promise<void> {
    const rows = kind === 'triage' ? { triage: [value as never] } : { changes: [value as never] };
    await this.writer.write(batchOf(rows));
  }

  post(url: string, payload: unknown, role: Role = 'analyst'): Promise<LightMyRequestResponse> {
    const headers = { authorization: `Bearer ${keyOf(role)}` };
    return this.app.inject({ method: 'POST', url, headers, payload: payload as object });
  }

  get(url: string, role: Role = 'admin'): Promise<LightMyRequestResponse> {
    return this.app.inject({ url, headers: { authorization: `Bearer ${keyOf(role)}` } });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.app.close();
    await this.reader[Symbol.asyncDispose]();
    await this.writer[Symbol.asyncDispose]();
    await rm(this.folder, { recursive: true });
  }
}
