// What is asked of a rule beyond its shape: of ours, all that an alert tells people; of any, nothing that Sigma has given up.

import type { Fault } from '../../core/strict-yaml.ts';
import type { ParsedRule } from './sigma.ts';
import { techniqueOf } from './sigma-schema.ts';

const requiredOfPack = [
  'description',
  'falsepositives',
  'level',
  'message',
  'runbook',
  'status',
  'tags',
  'version',
] as const;

/** Rules of sealwatch say what to do, how sure they are and what the technique is. Throws SealwatchError. */
export function requireOfPack({ document, fault, kind }: ParsedRule): void {
  for (const key of requiredOfPack) if (document[key] === undefined) throw fault([key], 'is missing');
  if (document.falsepositives?.length === 0) throw fault(['falsepositives'], 'is empty');
  if (!document.tags?.some((tag) => techniqueOf(tag) !== undefined))
    throw fault(['tags'], 'needs an ATT&CK technique, attack.tNNNN');
  if (kind === 'correlation' && (document.correlation['group-by'] ?? []).length === 0)
    throw fault(['correlation', 'group-by'], 'is missing');
}

/** What later versions of Sigma, and pySigma, have and version 2.1 has not. */
const laterTypes: Record<string, string> = {
  value_median: 'write value_percentile with percentile: 50',
  value_max: 'write a rule with |gt or |gte instead',
  value_min: 'write a rule with |lt or |lte instead',
  temporal_extended: 'write temporal with names of rules joined by and, or, not as its condition',
  temporal_ordered_extended:
    'write temporal_ordered with names of rules joined by and, or, not as its condition',
};

/** Refuses by name what is no longer Sigma, or not yet. Throws SealwatchError. */
export function refuseOldAttributes(value: Record<string, unknown>, fault: Fault): void {
  const { correlation, detection } = value as Record<string, Record<string, unknown> | undefined>;
  if (typeof detection === 'object' && detection !== null && 'timeframe' in detection)
    throw fault(['detection', 'timeframe'], 'is no longer Sigma: write a correlation with timespan');
  if (typeof correlation !== 'object' || correlation === null) return;
  const { timespan, type } = correlation;
  const instead = typeof type === 'string' && Object.hasOwn(laterTypes, type) ? laterTypes[type] : undefined;
  if (instead !== undefined)
    throw fault(['correlation', 'type'], `${String(type)} is not in Sigma 2.1: ${instead}`);
  if ('timeframe' in correlation) throw fault(['correlation', 'timeframe'], 'is called timespan');
  if (typeof timespan === 'string' && /^\d+[wMy]$/.test(timespan))
    throw fault(['correlation', 'timespan'], `${timespan} is not in Sigma 2.1: write days, such as 7d`);
}
