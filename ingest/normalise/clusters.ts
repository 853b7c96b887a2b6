// Which devices belong together: a call is whole when each device of its cluster has shown it.

import type { Device } from '../../core/devices.ts';

export interface Cluster {
  name: string;
  /** Names of its devices in order of rank. */
  devices: readonly string[];
  /** Those of them that are files. */
  files: readonly string[];
}

/** The cluster of each device. */
export function clustersOf(devices: readonly Device[]): Map<string, Cluster> {
  const clusters = new Map<string, Cluster>();
  for (const { name, cluster } of devices) {
    const members = devices.filter((device) => device.cluster === cluster);
    clusters.set(name, {
      name: cluster,
      devices: members.map((device) => device.name),
      files: members.filter((device) => device.isFile).map((device) => device.name),
    });
  }
  return clusters;
}
