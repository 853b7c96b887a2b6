// Component and index templates, made from the mapping: what `deploy/elasticsearch/` shows and what `setup` puts.

import { createHash } from 'node:crypto';
import type { ElasticsearchSettings } from '../../../core/config-scale.ts';
import type { estypes } from './client.ts';
import { type DocumentKind, mappingOf } from './mapping.ts';
import { eventsPattern, indexName, type SingleIndex, singleIndices } from './names.ts';

/** Of the documents: count up with each change of the mapping that an index made before cannot take. */
export const LAYOUT = 1;

/** Above the templates that Elasticsearch brings along (100 to 200). */
const PRIORITY = 500;

type ComponentTemplate = Omit<estypes.ClusterPutComponentTemplateRequest, 'name'>;
type IndexTemplate = Omit<estypes.IndicesPutIndexTemplateRequest, 'name'>;

export interface Templates {
  components: Record<string, ComponentTemplate>;
  indices: Record<string, IndexTemplate>;
  /** The policy that `renderTemplates` was asked for. */
  policies: Record<string, Omit<estypes.IlmPutLifecycleRequest, 'name'>>;
}

export type TemplateSettings = Pick<ElasticsearchSettings, 'prefix' | 'shards' | 'replicas'>;

/** Where operators put settings of their own; nothing happens while it is not there. */
const customName = (prefix: string) => `${prefix}@custom`;

/**
 * All templates of the indices under `settings.prefix`.
 * @param lifecycleDays how many days events are kept, where index lifecycle management deletes them as well; without it no policy
 */
export function renderTemplates(settings: TemplateSettings, lifecycleDays?: number): Templates {
  const { prefix } = settings;
  const kinds: DocumentKind[] = ['events', ...singleIndices];
  const lifecycle = `${prefix}-lifecycle`;
  const components = {
    [`${prefix}-settings`]: baseSettings(settings),
    [`${prefix}-events-settings`]: eventsSettings(
      settings,
      lifecycleDays === undefined ? undefined : lifecycle,
    ),
    ...Object.fromEntries(kinds.map((kind) => [mappingName(prefix, kind), mappingTemplate(kind)])),
  };
  const policies = lifecycleDays === undefined ? {} : { [lifecycle]: { policy: policyOf(lifecycleDays) } };
  const hash = createHash('sha256')
    .update(JSON.stringify([components, policies]))
    .digest('hex');
  const name = (kind: DocumentKind) => (kind === 'events' ? `${prefix}-events` : indexName(prefix, kind));
  return {
    components,
    indices: Object.fromEntries(kinds.map((kind) => [name(kind), indexTemplate(settings, kind, hash)])),
    policies,
  };
}

const mappingName = (prefix: string, kind: DocumentKind) => `${prefix}-${kind}-mapping`;

const meta = { layout: LAYOUT, description: 'sealwatch' };

const baseSettings = ({ replicas }: TemplateSettings): ComponentTemplate => ({
  _meta: meta,
  template: { settings: { number_of_shards: 1, number_of_replicas: replicas } },
});

const eventsSettings = ({ shards }: TemplateSettings, lifecycle: string | undefined): ComponentTemplate => ({
  _meta: meta,
  template: {
    settings: {
      number_of_shards: shards,
      ...(lifecycle !== undefined && { lifecycle: { name: lifecycle, parse_origination_date: true } }),
    },
  },
});

const mappingTemplate = (kind: DocumentKind): ComponentTemplate => ({
  _meta: meta,
  template: { mappings: { _meta: meta, ...mappingOf(kind) } },
});

/** The hash tells whether all that it is composed of is as this version makes it. */
const indexTemplate = ({ prefix }: TemplateSettings, kind: DocumentKind, hash: string): IndexTemplate => ({
  _meta: { ...meta, hash },
  priority: PRIORITY,
  index_patterns: [kind === 'events' ? eventsPattern(prefix) : indexName(prefix, kind as SingleIndex)],
  composed_of: [
    `${prefix}-settings`,
    ...(kind === 'events' ? [`${prefix}-events-settings`] : []),
    mappingName(prefix, kind),
    customName(prefix),
  ],
  ignore_missing_component_templates: [customName(prefix)],
});

/**
 * Days count from the name of the index, not from when it was made. No rollover, no read-only: revisions of old events still come.
 * It deletes what `retain` deletes, so that a cluster keeps no more than it should while sealwatch is off.
 */
const policyOf = (days: number): estypes.IlmPolicy => ({
  _meta: meta,
  phases: {
    hot: { actions: { set_priority: { priority: 100 } } },
    warm: { min_age: '7d', actions: { set_priority: { priority: 50 } } },
    delete: { min_age: `${days + 1}d`, actions: { delete: {} } },
  },
});
