// Which mount a path belongs to: the longest one that the directory knows, else what the path looks like.

import type { FactValues } from '../../core/directory.ts';
import type { EvidenceReader } from '../../core/ports.ts';
import { factsAt } from './facts.ts';

export interface Mounts {
  /** Path of the mount that serves `path`, with its closing slash. */
  of(path: string): string;
  /** What the directory says of a mount. */
  tuning(mount: string): FactValues['mount'] | undefined;
}

/** The mounts as they were before `at`, by default as they are last known. */
export async function mountsAt(reader: EvidenceReader, at?: string): Promise<Mounts> {
  const { facts } = await factsAt(reader, 'mount', at);
  const known = new Map(facts.map(({ key, value }) => [key, value as FactValues['mount']]));
  const paths = [...known.keys()].sort((a, b) => b.length - a.length);
  return {
    of: (path) => paths.find((mount) => path.startsWith(mount)) ?? guess(path),
    tuning: (mount) => known.get(mount),
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
