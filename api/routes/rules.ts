// GET /v1/rules: the rules and behaviours in force, why one is off, and what each has found.

import { z } from 'zod';
import { levels } from '../../core/alert.ts';
import { limits } from '../../core/limits.ts';
import type { Group } from '../../core/query.ts';
import { addSeconds } from '../../core/time.ts';
import type { App } from '../bare-app.ts';
import { logNow } from '../leases/alive.ts';
import type { ApiOptions, RuleInfo } from '../options.ts';
import { listOf, problems } from '../schemas.ts';

const WEEK_S = 604_800;

const ruleSchema = z.object({
  id: z.string(),
  title: z.string(),
  level: z.enum(levels),
  type: z.string().meta({
    description: '`event`, the type of a correlation such as `event_count`, or `behaviour`: found by code',
  }),
  version: z.string(),
  description: z.string(),
  file: z.string(),
  techniques: z.array(z.string()),
  groups: z.array(z.string()).meta({ description: 'fields by which it is counted' }),
  learning: z.string().nullable().meta({ description: 'of behaviours: how long each learns' }),
  enabled: z
    .boolean()
    .nullable()
    .meta({ description: 'null: detectors run elsewhere, and nobody here knows' }),
  why: z.string().nullable().meta({ description: 'why it is off' }),
  alerts: z.int().meta({ description: 'alerts held' }),
  alerts_last_week: z.int().meta({ description: 'of the 7 days of event time before now' }),
  last_alert: z.string().nullable(),
});

export function addRules(app: App, { reader, rules, now }: ApiOptions): void {
  /** Alerts by rule, from a time on. */
  const alertsBy = async (from?: string): Promise<Map<string, Group>> => {
    const { groups } = await reader.group({
      kind: 'alerts',
      ...(from !== undefined && { from }),
      where: [],
      by: ['rule.id'],
      collect: [],
      limit: limits.pageRowsMax,
    });
    return new Map(groups.map((group) => [group.by[0] ?? '', group]));
  };
  app.get(
    '/v1/rules',
    {
      config: { area: 'rules' },
      schema: {
        summary: 'Rules and behaviours in force, and what each has found',
        response: { 200: listOf(ruleSchema), ...problems },
      },
    },
    async () => {
      const all = await alertsBy();
      const week = await alertsBy(addSeconds(await logNow(reader, now), -WEEK_S));
      const row = ({ techniques, groups, ...rule }: RuleInfo) => ({
        ...rule,
        techniques: [...techniques],
        groups: [...groups],
        learning: rule.learning ?? null,
        enabled: rule.enabled ?? null,
        why: rule.why ?? null,
        alerts: all.get(rule.id)?.n ?? 0,
        alerts_last_week: week.get(rule.id)?.n ?? 0,
        last_alert: all.get(rule.id)?.last ?? null,
      });
      return { items: rules().map(row), next_cursor: null };
    },
  );
}
