// Which mount a path belongs to: the longest one that the directory knows, else what the path looks like.

import type { FactValues } from '../../core/directory.ts';
import type { EvidenceReader } from '../../core/ports.ts';
import { factsAt } from './facts.ts';

/** Where something was asked for. `path` is relative to `namespace`; of an absent cluster any can be meant. */
export interface Place {
  path: string;
  namespace?: string | undefined;
  cluster?: string | undefined;
}

export interface Mounts {
  /** Namespace and path of the mount that serves the path, with its closing slash. */
  of(place: Place): string;
  /** What the directory says of a mount, named as `of` does. */
  tuning(mount: string, cluster: string | undefined): FactValues['mount'] | undefined;
  /** False when there were more facts than `limits.factsMax`. */
  complete: boolean;
}

/** The mounts as they were at `at`, by default as they are last known. */
export async function mountsAt(reader: EvidenceReader, at?: string): Promise<Mounts> {
  const { facts, complete } = await factsAt(reader, 'mount', at);
  const known = facts
    .filter(({ value }) => value !== null)
    .map(({ cluster, namespace, key, value }) => ({ cluster, mount: namespace + key, value }));
  known.sort((a, b) => b.mount.length - a.mount.length);
  const isOf = (cluster: string | undefined, one: { cluster: string }) =>
    cluster === undefined || cluster === one.cluster;
  return {
    of: ({ path, namespace = '', cluster }) =>
      known.find((one) => isOf(cluster, one) && (namespace + path).startsWith(one.mount))?.mount ??
      namespace + guess(path),
    tuning: (mount, cluster) =>
      known.find((one) => isOf(cluster, one) && one.mount === mount)?.value ?? undefined,
    complete,
  };
}

/** Where the part below the mount begins, in the paths that give out credentials (vault-audit.md 6). */
const BELOW =
  /^(auth\/.+?\/|.+?\/)(login|oidc|callback|create|renew|creds|sts|static-creds?|issue|sign|issuer|library|role|roles)(\/|-|$)/;

/** Nobody told of the mount: the part before what such paths have below it, else the first part. */
function guess(path: string): string {
  const shown = BELOW.exec(path)?.[1];
  if (shown !== undefined) return shown;
  return /^(auth\/[^/]+\/|[^/]+\/)/.exec(path)?.[0] ?? path;
}
