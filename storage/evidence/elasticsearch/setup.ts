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
  try {
    await putTemplates(client, renderTemplates(settings, lifecycle));
  } catch (error) {
    if (statusOf(error) !== 403) throw explained(error, target.settings);
  }
  await Promise.all(singleIndices.map((kind) => makeIndex(target, indexName(settings.prefix, kind))));
  await checkLayouts(target);
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

async function putTemplates(client: Client, { components, indices, policies }: Templates): Promise<void> {
  // Side by side: the cluster does those of one kind in one step.
  const each = <T>(bodies: Record<string, T>, put: (name: string, body: T) => Promise<unknown>) =>
    Promise.all(Object.entries(bodies).map(([name, body]) => put(name, body)));
  await each(policies, (name, body) => client.ilm.putLifecycle({ name, ...body }));
  await each(components, (name, body) => client.cluster.putComponentTemplate({ name, ...body }));
  await each(indices, (name, body) => client.indices.putIndexTemplate({ name, ...body }));
}

/** Makes an index by its template; nothing happens when it is there. */
export async function makeIndex(target: Target, index: string): Promise<void> {
  const { client } = target;
  await ask(target, async () => {
    if (await client.indices.exists({ index })) return;
    await client.indices.create({ index }).catch((error: { body?: { error?: { type?: string } } }) => {
      // Another process was first.
      if (error.body?.error?.type !== 'resource_already_exists_exception') throw error;
    });
  });
}

const allIndices = (prefix: string): string[] => [
  eventsPattern(prefix),
  ...singleIndices.map((kind) => indexName(prefix, kind)),
];

/** Refuses indices whose mapping this version did not make. Throws SealwatchError ELASTICSEARCH_UNUSABLE. */
export async function checkLayouts(
  target: Target,
  index: string[] = allIndices(target.settings.prefix),
): Promise<void> {
  const { client } = target;
  const asked = { index, ignore_unavailable: true };
  const [names, mappings] = await ask(target, () =>
    Promise.all([
      client.indices.getSettings({ ...asked, filter_path: '*.settings.index.uuid' }),
      client.indices.getMapping({ ...asked, filter_path: '*.mappings._meta.layout' }),
    ]),
  );
  for (const name of Object.keys(names)) {
    const layout = mappings[name]?.mappings._meta?.['layout'] as number | undefined;
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
}
