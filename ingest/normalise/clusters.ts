// Which devices belong together: a call is whole when each device of its cluster has shown it.

import type { Device, Origin } from '../../core/devices.ts';

export interface Cluster {
  name: string;
  /** Names of its devices in order of rank. */
  devices: readonly string[];
  /** Those of them that should show every call: all but those with a filter. */
  whole: readonly string[];
  /** Those of them that are files, and show every call. */
  files: readonly string[];
  /** Another node of a device may show the same call once more (vault-audit.md 7.7). */
  hasManyNodes: boolean;
}

/** The clusters of the configured devices; a device that is not configured any more belongs to the configured cluster. */
export class Clusters {
  /** Names of all devices in order of rank. */
  readonly ranks: readonly string[];
  private readonly devices: ReadonlyMap<string, Device>;
  private readonly clusters: ReadonlyMap<string, Cluster>;
  private readonly other: Cluster;

  constructor(devices: readonly Device[], cluster: string) {
    this.ranks = devices.map(({ name }) => name);
    this.devices = new Map(devices.map((device) => [device.name, device]));
    this.clusters = clustersOf(devices);
    this.other = { name: cluster, devices: this.ranks, whole: this.ranks, files: [], hasManyNodes: false };
  }

  of(device: string): Cluster {
    return this.clusters.get(device) ?? this.other;
  }

  originOf(device: string): Origin {
    return this.devices.get(device)?.origin ?? 'recorded';
  }

  /** Nobody but Vault can have written what came on it, as far as can be known: what it shows may be learnt. */
  isTrusted(device: string): boolean {
    const origin = this.originOf(device);
    return origin !== 'unverified' && origin !== 'unprovable';
  }
}

function clustersOf(devices: readonly Device[]): Map<string, Cluster> {
  const clusters = new Map<string, Cluster>();
  for (const { name, cluster } of devices) {
    const members = devices.filter((device) => device.cluster === cluster);
    const whole = members.filter((device) => device.isFiltered !== true);
    clusters.set(name, {
      name: cluster,
      devices: members.map((device) => device.name),
      whole: whole.map((device) => device.name),
      files: whole.filter((device) => device.isFile).map((device) => device.name),
      hasManyNodes: members.some((device) => device.hasManyNodes === true),
    });
  }
  return clusters;
}
