// A small client of Vault's HTTP API. The token is read anew for each call, since Vault Agent rewrites its file, and stands
// in no log and no result.

import { readFileSync } from 'node:fs';
import { type IncomingMessage, request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { systemCode } from '../core/errors.ts';
import type { JsonObject } from '../core/event.ts';
import { limits } from '../core/limits.ts';

export interface VaultOptions {
  /** `https://vault.example:8200`. */
  address: string;
  tokenFile: string;
  /** Authority of Vault's certificate, PEM; else those of the system. */
  caFile?: string | undefined;
  /** Most that one call may take, redirects among it. */
  callMs?: number;
}

export interface VaultAnswer {
  /** HTTP status; 0 when Vault did not answer. */
  status: number;
  body: JsonObject | undefined;
  /** What Vault's clock said, to the second; undefined when the answer does not tell. */
  dateMs: number | undefined;
  /** Why there is no usable answer: a system's code such as `ECONNREFUSED`, or one of ours. */
  fault: string | undefined;
}

interface Raw {
  status: number;
  headers: IncomingMessage['headers'];
  bytes: Buffer;
}

export class VaultClient {
  private readonly options: VaultOptions;

  constructor(options: VaultOptions) {
    this.options = options;
  }

  /** Asks for `path` (without `/v1/`). Never throws: what went wrong is `fault`. */
  async read(path: string): Promise<VaultAnswer> {
    try {
      const token = readFileSync(this.options.tokenFile, 'utf8').trim();
      // Anything else would be an error of Node's that shows the token.
      if (!/^[\x21-\x7e]+$/.test(token)) return noAnswer('token_file_empty_or_odd');
      const signal = AbortSignal.timeout(this.options.callMs ?? limits.vaultCallMs);
      return toAnswer(
        await this.follow(new URL(`v1/${path}`, withSlash(this.options.address)), token, signal),
      );
    } catch (error) {
      return noAnswer(faultOf(error));
    }
  }

  /** A standby that cannot forward names the active node: the token goes there by TLS, or to the same host. */
  private async follow(first: URL, token: string, signal: AbortSignal): Promise<Raw> {
    let url = first;
    for (let redirects = 0; ; redirects++) {
      const raw = await this.get(url, token, signal);
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

  private get(url: URL, token: string, signal: AbortSignal): Promise<Raw> {
    const { caFile } = this.options;
    const ca = caFile === undefined || url.protocol === 'http:' ? {} : { ca: readFileSync(caFile) };
    const ask = url.protocol === 'https:' ? tlsRequest : plainRequest;
    const headers = { 'x-vault-token': token, 'x-vault-request': 'true', 'user-agent': 'sealwatch' };
    return new Promise((resolve, reject) => {
      // A connection of its own for each call: they are rare, and a kept one would die unseen.
      const call = ask(url, { headers, signal, agent: false, ...ca }, (response) => {
        readBounded(response).then(
          (bytes) => resolve({ status: response.statusCode ?? 0, headers: response.headers, bytes }),
          (error: unknown) => {
            call.destroy();
            reject(error);
          },
        );
      });
      call.once('error', reject);
      call.end();
    });
  }
}

async function readBounded(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > limits.vaultAnswerBytesMax)
      throw Object.assign(new Error('too large'), { code: 'answer_too_large' });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function toAnswer({ status, headers, bytes }: Raw): VaultAnswer {
  const date = Date.parse(headers.date ?? '');
  const dateMs = Number.isNaN(date) ? undefined : date;
  const body = parse(bytes.toString());
  const fault = status !== 200 ? `status_${status}` : body === undefined ? 'not_json' : undefined;
  return { status, body, dateMs, fault };
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

const noAnswer = (fault: string): VaultAnswer => ({ status: 0, body: undefined, dateMs: undefined, fault });

/** Only a code leaves: a message might hold more than it should. */
function faultOf(error: unknown): string {
  if (error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError'))
    return 'timeout';
  return systemCode(error) ?? 'failed';
}

const withSlash = (address: string): string => (address.endsWith('/') ? address : `${address}/`);
