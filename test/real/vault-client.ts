// A small client of Vault's HTTP API for the capture and the real-server test: any token, any loopback address.

import { request } from 'node:http';
import { type RequestOptions, request as tlsRequest } from 'node:https';

export interface CallOptions {
  body?: unknown;
  /** Loopback address that the call comes from; it stands for a host in the audit log. */
  from?: string;
  headers?: Record<string, string>;
  query?: string;
  token?: string;
  userAgent?: string;
  /** Asks Vault to wrap the answer, `60s`. */
  wrapTtl?: string;
}

/** What a client of the TLS listener shows and trusts (PEM). */
export type Tls = Pick<RequestOptions, 'ca' | 'cert' | 'key'>;

/** The parts of Vault's answers that the tests use. */
export interface Answer {
  auth?: {
    accessor: string;
    client_token: string;
    entity_id: string;
    mfa_requirement?: { mfa_request_id: string };
  };
  data: Record<string, unknown>;
  errors?: string[];
  lease_id?: string;
  request_id?: string;
  status: number;
  wrap_info?: { accessor: string; token: string; wrapped_accessor?: string };
}

export class Vault {
  readonly address: string;
  readonly rootToken: string;

  readonly #tls: Tls | undefined;

  constructor(address: string, rootToken: string, tls?: Tls) {
    this.address = address;
    this.rootToken = rootToken;
    this.#tls = tls;
  }

  /** One call; the status is the caller's to judge. */
  call(method: string, path: string, options: CallOptions = {}): Promise<Answer> {
    const headers: Record<string, string> = {
      'user-agent': options.userAgent ?? 'curl/8.5.0',
      ...options.headers,
    };
    if (options.token !== undefined) headers['x-vault-token'] = options.token;
    if (options.wrapTtl !== undefined) headers['x-vault-wrap-ttl'] = options.wrapTtl;
    const url = new URL(`/v1/${path}${options.query === undefined ? '' : `?${options.query}`}`, this.address);
    return new Promise((done, fail) => {
      // No keep-alive: each call shall come from its own port, as calls of different programs do.
      const send = this.#tls === undefined ? request : tlsRequest;
      const settings = { method, headers, localAddress: options.from, agent: false, ...this.#tls } as const;
      const call = send(url, settings, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', fail);
        response.on('end', () => done(toAnswer(response.statusCode ?? 0, Buffer.concat(chunks).toString())));
      });
      call.on('error', fail);
      const { body } = options;
      call.end(
        body instanceof URLSearchParams ? String(body) : body === undefined ? body : JSON.stringify(body),
      );
    });
  }

  /** A form that a browser posts; the answer is a page. */
  async post(path: string, from: string, form: URLSearchParams): Promise<void> {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const { status } = await this.call('POST', path, { from, headers, body: form });
    if (status >= 300) throw new Error(`POST ${path}: ${status}`);
  }

  /** A call that has to succeed. */
  async must(method: string, path: string, options: CallOptions = {}): Promise<Answer> {
    const answer = await this.call(method, path, options);
    if (answer.status >= 300)
      throw new Error(`${method} ${path}: ${answer.status} ${answer.errors?.join('; ') ?? ''}`);
    return answer;
  }

  /** A call with the root token that has to succeed. */
  root(method: string, path: string, body?: unknown): Promise<Answer> {
    return this.must(method, path, { token: this.rootToken, ...(body === undefined ? {} : { body }) });
  }

  /** A call that Vault has to refuse. */
  async refused(method: string, path: string, options: CallOptions = {}): Promise<Answer> {
    const answer = await this.call(method, path, options);
    if (answer.status < 400) throw new Error(`${method} ${path}: ${answer.status}, a refusal was expected`);
    return answer;
  }

  /** Logs in; returns the new token. */
  async login(path: string, body: unknown, from?: string): Promise<string> {
    const answer = await this.must('POST', path, { body, ...(from === undefined ? {} : { from }) });
    if (answer.auth === undefined) throw new Error(`${path} gave no token`);
    return answer.auth.client_token;
  }
}

function toAnswer(status: number, text: string): Answer {
  const body = (text.startsWith('{') ? JSON.parse(text) : {}) as Partial<Answer>;
  return { ...body, data: body.data ?? {}, status };
}
