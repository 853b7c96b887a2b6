// A small client of Vault's HTTP API: one call, its redirects, its bounds. It holds no token; what it is given stands in no log
// and no result.

import { readFileSync } from 'node:fs';
import { type IncomingMessage, request as plainRequest, type RequestOptions } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { systemCode } from '../core/errors.ts';
import type { JsonObject } from '../core/event.ts';
import { limits } from '../core/limits.ts';

export interface VaultOptions {
  /** `https://vault.example:8200`. */
  address: string;
  /** Authority of Vault's certificate, PEM; else those of the system. */
  caFile?: string | undefined;
  /** Certificate and key that are shown to Vault, PEM, read for each call: somebody renews them. */
  certFile?: string | undefined;
  keyFile?: string | undefined;
  /** Most that one call may take, redirects among it. */
  callMs?: number;
}

export interface VaultCall {
  method: 'GET' | 'POST' | 'LIST';
  /** Without `/v1/`. */
  path: string;
  body?: JsonObject;
  /** Absent for the root namespace. */
  namespace?: string | undefined;
  /** Absent for a login. */
  token?: string | undefined;
  /** Longest answer; `limits.vaultAnswerBytesMax` unless told. */
  bytesMax?: number;
}

export interface VaultAnswer {
  /** HTTP status; 0 when Vault did not answer. */
  status: number;
  body: JsonObject | undefined;
  /** What Vault's clock said, to the second; undefined when the answer does not tell. */
  dateMs: number | undefined;
  /** Why there is no usable answer: a system's code such as `ECONNREFUSED`, or one of ours. */
  fault: string | undefined;
  /** How long Vault wants to be left alone (`Retry-After`), at most `limits.vaultRetryAfterMsMax`. */
  retryMs?: number;
}

interface Raw {
  status: number;
  headers: IncomingMessage['headers'];
  bytes: Buffer;
}

export class VaultClient {
  /** Calls that were begun: each is two lines on every audit device, if Vault got it. */
  calls = 0;
  private readonly options: VaultOptions;

  constructor(options: VaultOptions) {
    this.options = options;
  }

  /** Never throws: what went wrong is `fault`. */
  async call(call: VaultCall): Promise<VaultAnswer> {
    this.calls++;
    try {
      const url = new URL(`v1/${escaped(call.path)}`, withSlash(this.options.address));
      const signal = AbortSignal.timeout(this.options.callMs ?? limits.vaultCallMs);
      return toAnswer(await this.follow(url, call, signal));
    } catch (error) {
      return noAnswer(faultOf(error));
    }
  }

  /** A standby that cannot forward names the active node: the token goes there by TLS, or to the same host. */
  private async follow(first: URL, call: VaultCall, signal: AbortSignal): Promise<Raw> {
    let url = first;
    for (let redirects = 0; ; redirects++) {
      const raw = await this.send(url, call, signal);
      const { location } = raw.headers;
      if (raw.status !== 307 || location === undefined) return raw;
      const next = new URL(location, url);
      const isSafe =
        next.protocol === 'https:' || (next.protocol === url.protocol && next.hostname === url.hostname);
      if (!isSafe || redirects === limits.vaultRedirectsMax)
        throw Object.assign(new Error('redirect'), {
          code: isSafe ? 'too_many_redirects' : 'unsafe_redirect',
        });
      url = next;
    }
  }

  private send(url: URL, call: VaultCall, signal: AbortSignal): Promise<Raw> {
    const isTls = url.protocol === 'https:';
    const text = call.body === undefined ? undefined : JSON.stringify(call.body);
    const options: RequestOptions = {
      method: call.method,
      headers: headersOf(call, text),
      signal,
      // A connection of its own for each call: they are rare, and a kept one would die unseen.
      agent: false,
      ...(isTls && this.tls()),
    };
    return new Promise((resolve, reject) => {
      const sent = (isTls ? tlsRequest : plainRequest)(url, options, (response) => {
        readBounded(response, call.bytesMax ?? limits.vaultAnswerBytesMax).then(
          (bytes) => resolve({ status: response.statusCode ?? 0, headers: response.headers, bytes }),
          (error: unknown) => {
            sent.destroy();
            reject(error);
          },
        );
      });
      sent.once('error', reject);
      sent.end(text);
    });
  }

  private tls(): { ca?: Buffer; cert?: Buffer; key?: Buffer } {
    const { caFile, certFile, keyFile } = this.options;
    return {
      ...(caFile !== undefined && { ca: readFileSync(caFile) }),
      ...(certFile !== undefined && { cert: readFileSync(certFile) }),
      ...(keyFile !== undefined && { key: readFileSync(keyFile) }),
    };
  }
}

function headersOf({ token, namespace }: VaultCall, text: string | undefined): Record<string, string> {
  return {
    'x-vault-request': 'true',
    'user-agent': 'sealwatch',
    ...(token !== undefined && { 'x-vault-token': token }),
    ...(namespace !== undefined && { 'x-vault-namespace': namespace }),
    ...(text !== undefined && {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(text)),
    }),
  };
}

/** The bytes of `response`, at most `bytesMax`; throws `answer_too_large`. */
export async function readBounded(response: IncomingMessage, bytesMax: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw Object.assign(new Error('too large'), { code: 'answer_too_large' });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function toAnswer({ status, headers, bytes }: Raw): VaultAnswer {
  const date = Date.parse(headers.date ?? '');
  const dateMs = Number.isNaN(date) ? undefined : date;
  const retryMs = retryOf(headers['retry-after']);
  const body = parse(bytes.toString());
  const isGood = status === 204 || (status === 200 && body !== undefined);
  const fault = isGood ? undefined : status === 200 ? 'not_json' : `status_${status}`;
  return { status, body, dateMs, fault, ...(retryMs !== undefined && { retryMs }) };
}

/** `Retry-After` in seconds, as Vault's quotas write it; whatever else stands there is nothing. */
function retryOf(header: string | undefined): number | undefined {
  if (header === undefined || !/^\d{1,9}$/.test(header)) return undefined;
  return Math.min(Number(header) * 1000, limits.vaultRetryAfterMsMax);
}

function parse(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as JsonObject)
      : undefined;
  } catch {
    return undefined;
  }
}

export const noAnswer = (fault: string): VaultAnswer => ({
  status: 0,
  body: undefined,
  dateMs: undefined,
  fault,
});

/** Only a code leaves: a message might hold more than it should. */
export function faultOf(error: unknown): string {
  if (error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError'))
    return 'timeout';
  return systemCode(error) ?? 'failed';
}

/** Names of roles and groups may hold anything; nothing in them may end the path. */
const escaped = (path: string): string => path.split('/').map(encodeURIComponent).join('/');

const withSlash = (address: string): string => (address.endsWith('/') ? address : `${address}/`);
