// Getting a cluster ready: templates, the indices that are one each, and a refusal of what another version has made.

import type { ElasticsearchSettings } from '../../../core/config-scale.ts';
import { SealwatchError } from '../../../core/errors.ts';
import { ask, type Target } from './bulk.ts';
import { type Client, explained, statusOf } from './client.ts';
import { eventsPattern, indexName, singleIndices } from './names.ts';
import { LAYOUT, renderTemplates, type Templates } from './templates.ts';

/** Elasticsearch of this major version speaks with the client that sealwatch has. */
export const MAJOR_VERSION = 9;

/**
 * Puts templates and makes the indices that are missing; again and again with the same result. Where sealwatch may not put templates,
 * those that an administrator has put must do.
 * @param eventDays how long events are kept, for index lifecycle management where the cluster has it
 * Throws SealwatchError ELASTICSEARCH_UNREACHABLE, ELASTICSEARCH_DENIED or ELASTICSEARCH_UNUSABLE.
 */
export async function setup(
  client: Client,
  settings: ElasticsearchSettings,
  eventDays: number,
): Promise<void> {
  const target = { client, settings };
  await checkVersion(target);
  const lifecycle = (await hasLifecycle(target)) ? eventDays : undefined;
  const templates = renderTemplates(settings, lifecycle);
  await ask(target, async () => {
    const found = await templatesOf(client, settings.prefix);
    if (areThese(found, templates)) return;
    await putTemplates(client, templates).catch((error: unknown) => {
      const isEachThere = Object.keys(templates.indices).every((name) => found.has(name));
      // Those of an administrator do, when there are all: an index that is made without them is of no use to anybody.
      if (statusOf(error) !== 403 || !isEachThere) throw error;
    });
  });
  const made = await checkLayouts(target);
  const missing = singleIndices
    .map((kind) => indexName(settings.prefix, kind))
    .filter((name) => !made.has(name));
  await Promise.all(missing.map((index) => makeIndex(target, index)));
}

async function checkVersion(target: Target): Promise<void> {
  const { version } = await ask(target, () => target.client.info());
  if (Number.parseInt(version.number, 10) === MAJOR_VERSION) return;
  throw new SealwatchError(
    'ELASTICSEARCH_UNUSABLE',
    `Elasticsearch is version ${version.number}, sealwatch needs ${MAJOR_VERSION}`,
    'Upgrade the cluster.',
  );
}

/** Whether the cluster has index lifecycle management and tells us so. A build without it answers 400, a role without the right 403. */
export async function hasLifecycle(target: Target): Promise<boolean> {
  try {
    await target.client.ilm.getStatus();
    return true;
  } catch (error) {
    const status = statusOf(error);
    if (status !== undefined && status >= 400 && status < 500 && status !== 401 && status !== 429)
      return false;
    throw explained(error, target.settings);
  }
}

/** Names and hashes of the index templates that there are. */
async function templatesOf(client: Client, prefix: string): Promise<Map<string, unknown>> {
  const { index_templates: found = [] } = await client.indices.getIndexTemplate(
    { name: `${prefix}-*`, filter_path: ['index_templates.name', 'index_templates.index_template._meta'] },
    { ignore: [404] },
  );
  return new Map(found.map(({ name, index_template }) => [name, index_template._meta?.['hash']]));
}

/** Each start would put some fifty otherwise. */
const areThese = (found: Map<string, unknown>, { indices }: Templates): boolean =>
  Object.entries(indices).every(([name, { _meta }]) => found.get(name) === _meta?.['hash']);

async function putTemplates(client: Client, { components, indices, policies }: Templates): Promise<void> {
  // Side by side: the cluster does those of one kind in one step.
  const each = <T>(bodies: Record<string, T>, put: (name: string, body: T) => Promise<unknown>) =>
    Promise.all(Object.entries(bodies).map(([name, body]) => put(name, body)));
  await each(policies, (name, body) => client.ilm.putLifecycle({ name, ...body }));
  await each(components, (name, body) => client.cluster.putComponentTemplate({ name, ...body }));
  await each(indices, (name, body) => client.indices.putIndexTemplate({ name, ...body }));
}

/** Makes an index by its template, unless another process is first; and looks what came of it. Throws as `setup` does. */
export async function makeIndex(target: Target, index: string): Promise<void> {
  if ((await checkLayouts(target, [index])).has(index)) return;
  await ask(target, () =>
    target.client.indices.create({ index }).catch((error: { body?: { error?: { type?: string } } }) => {
      if (error.body?.error?.type !== 'resource_already_exists_exception') throw error;
    }),
  );
  await checkLayouts(target, [index]);
}

const allIndices = (prefix: string): string[] => [
  eventsPattern(prefix),
  ...singleIndices.map((kind) => indexName(prefix, kind)),
];

/**
 * Returns which of the indices there are. Throws SealwatchError ELASTICSEARCH_UNUSABLE when this version did not make the mapping of
 * one.
 */
export async function checkLayouts(
  target: Target,
  index: string[] = allIndices(target.settings.prefix),
): Promise<Set<string>> {
  const { client } = target;
  // In one call: indices come and go meanwhile.
  const found = await ask(target, () =>
    client.indices.get({
      ...{ index, ignore_unavailable: true },
      filter_path: ['*.settings.index.uuid', '*.mappings._meta.layout'],
    }),
  );
  for (const [name, { mappings }] of Object.entries(found)) {
    const layout = mappings?._meta?.['layout'] as number | undefined;
    if (layout === LAYOUT) continue;
    const advice =
      layout === undefined
        ? 'It was made without the templates: run `sealwatch doctor --fix` with a right to put them, and delete the index.'
        : 'Run the version that wrote it, or use another elasticsearch.prefix: what the stream still holds is indexed anew.';
    throw new SealwatchError(
      'ELASTICSEARCH_UNUSABLE',
      `the index ${name} has ${layout === undefined ? 'no layout of sealwatch' : `layout ${layout}`}, this version knows ${LAYOUT}`,
      advice,
    );
  }
  return new Set(Object.keys(found));
}
