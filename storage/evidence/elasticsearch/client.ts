// The connection to Elasticsearch, and its errors in our words: the one file that imports its client, and only when it is asked for.

import { readFileSync } from 'node:fs';
import type {
  Client,
  estypes,
  TransportRequestOptions,
  TransportRequestParams,
} from '@elastic/elasticsearch';
import type { ElasticsearchSettings } from '../../../core/config-scale.ts';
import { SealwatchError, systemCode } from '../../../core/errors.ts';
import { limits } from '../../../core/limits.ts';
import { readSecretFile } from '../../../core/secret-file.ts';

export type { Client, estypes };

/** A client for `settings`; nothing is sent yet. Throws SealwatchError CONFIG_INVALID when a file of theirs cannot be read. */
export async function connect(settings: ElasticsearchSettings): Promise<Client> {
  const elasticsearch = await import('@elastic/elasticsearch');
  const authorization = authorizationOf(settings);
  authorization();
  /** Logs in anew with each call, so that a key or password that was changed is used without a restart. */
  class FreshTransport extends elasticsearch.SniffingTransport {
    /** Of whatever type the caller awaits, as the client declares it. */
    override async request(
      params: TransportRequestParams,
      options: TransportRequestOptions = {},
    ): Promise<never> {
      const value = authorization();
      const headers = value === undefined ? options.headers : { ...options.headers, authorization: value };
      const all = headers === undefined ? options : { ...options, headers };
      return (await super.request(params, all)) as never;
    }
  }
  return new elasticsearch.Client({ ...optionsOf(settings), Transport: FreshTransport });
}

/** What stands in the header of a call now. While a file is being written anew, what stood there before holds. */
function authorizationOf({
  apiKeyFile,
  username,
  passwordFile,
}: ElasticsearchSettings): () => string | undefined {
  let last: string | undefined;
  const read = () => {
    if (apiKeyFile !== undefined) return `ApiKey ${readSecretFile(apiKeyFile, 'elasticsearch.apiKeyFile')}`;
    if (username === undefined || passwordFile === undefined) return undefined;
    const password = readSecretFile(passwordFile, 'elasticsearch.passwordFile');
    return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  };
  return () => {
    try {
      last = read();
    } catch (error) {
      if (last === undefined) throw error;
    }
    return last;
  };
}

function optionsOf(settings: ElasticsearchSettings): ConstructorParameters<typeof Client>[0] {
  const { caFile } = settings;
  return {
    nodes: settings.nodes,
    requestTimeout: limits.elasticsearchRequestMs,
    // Another node may answer; of one that does not, whoever asks has better patience than the client.
    maxRetries: settings.nodes.length - 1,
    redaction: { type: 'remove' },
    ...(caFile !== undefined && { tls: { ca: fileText('caFile', caFile) } }),
  };
}

function fileText(key: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new SealwatchError(
      'CONFIG_INVALID',
      `elasticsearch.${key}: cannot read ${path} (${systemCode(error) ?? error})`,
      'Check the path and its rights.',
      { cause: error },
    );
  }
}

/** What Elasticsearch answers to a call that it refuses. */
interface Refusal {
  name: string;
  message: string;
  statusCode?: number;
  body?: { error?: { type?: string; reason?: string } | string };
}

/** The status of an answer that is a refusal; undefined when there was no answer, and for anything else that was thrown. */
export const statusOf = (error: unknown): number | undefined =>
  (error as Partial<Refusal> | null)?.statusCode;

/** Whether an index is not there. Not any 404: a proxy says that of everything when the cluster behind it is gone. */
export const isMissing = (error: unknown): boolean => {
  const told = (error as Partial<Refusal> | null)?.body?.error;
  return statusOf(error) === 404 && typeof told === 'object' && told.type === NO_INDEX;
};

const NO_INDEX = 'index_not_found_exception';

/** What the client throws of a whole call, for a part of one that failed: a document, a search. */
export const refusal = (statusCode: number, error: { type?: string; reason?: string | null }): Error =>
  Object.assign(new Error(reasonOf(error)), { name: 'ResponseError', statusCode, body: { error } });

/** What the documents of an mget are, in their order; undefined of one that is not there. Throws of one that nobody could look for. */
export const foundOf = <T>(docs: readonly estypes.MgetResponseItem<T>[]) =>
  docs.map((doc) => {
    if (!('error' in doc)) return doc.found && doc._source !== undefined ? doc : undefined;
    if (doc.error.type === NO_INDEX) return undefined;
    throw refusal(503, doc.error);
  });

/** Kind and reason of a refusal, on one line. What it quotes of a document is left out: it does not belong into logs. */
export function reasonOf(error: { type?: string; reason?: string | null }): string {
  const reason = (error.reason ?? '').replace(/Preview of field's value.*|\s+/gs, ' ');
  return `${error.type ?? 'error'}: ${reason.slice(0, REASON_CHARS)}`.trim();
}

const REASON_CHARS = 300;

/** `error` of a call as one that the user can mend; any other, a mistake of ours, as it is. */
export function explained(error: unknown, settings: ElasticsearchSettings): unknown {
  if (error instanceof SealwatchError) return error;
  const { name, message, body } = error as Refusal;
  const where = settings.nodes.map((node) => new URL(node).host).join(', ');
  const status = statusOf(error);
  const told = typeof body?.error === 'object' ? reasonOf(body.error) : (message ?? String(error));
  if (unanswered.has(name) || (status !== undefined && unable.has(status)))
    return new SealwatchError(
      'ELASTICSEARCH_UNREACHABLE',
      `Elasticsearch at ${where} does not answer (${told})`,
      'Check elasticsearch.nodes, the network, the certificates and that the cluster is healthy; nothing is lost, the stream waits.',
      { cause: error },
    );
  if (status === 401 || status === 403)
    return new SealwatchError(
      'ELASTICSEARCH_DENIED',
      `Elasticsearch at ${where} does not let sealwatch do this (${told})`,
      'Check the key or password and its role: docs/operating/elasticsearch.md lists the least rights.',
      { cause: error },
    );
  if (name === 'ProductNotSupportedError' || status !== undefined)
    return new SealwatchError(
      'ELASTICSEARCH_UNUSABLE',
      `Elasticsearch at ${where} refused (${told})`,
      'Run `sealwatch doctor`: it checks the version, the templates and the rights.',
      { cause: error },
    );
  return error;
}

const unanswered = new Set([
  'ConnectionError',
  'TimeoutError',
  'NoLivingConnectionsError',
  // Half an answer; one that came too late for a call beside it, or that nobody waits for.
  'DeserializationError',
  'RequestAbortedError',
]);
/** Too much at once, or not now. */
const unable = new Set([408, 429, 502, 503, 504]);

/** `work`, with its errors `explained`. */
export async function asking<T>(settings: ElasticsearchSettings, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw explained(error, settings);
  }
}
