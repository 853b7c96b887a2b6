// The templates as they are put: strict in every object, and lifecycle management only where the cluster has it.

import { describe, expect, test } from 'vitest';
import { elasticsearchSettings } from '../../../core/config-scale.ts';
import type { Client, estypes } from '../../../storage/evidence/elasticsearch/client.ts';
import { singleIndices } from '../../../storage/evidence/elasticsearch/names.ts';
import { hasLifecycle } from '../../../storage/evidence/elasticsearch/setup.ts';
import { renderTemplates } from '../../../storage/evidence/elasticsearch/templates.ts';

const settings = elasticsearchSettings.parse({ prefix: 'p', shards: 2, replicas: 1 });

/** Types of all fields, by their path. */
function typesIn(properties: Record<string, estypes.MappingProperty>, path = ''): Map<string, string> {
  const types = new Map<string, string>();
  for (const [name, property] of Object.entries(properties)) {
    types.set(`${path}${name}`, property.type ?? 'object');
    // What is inside inherits strictness; nothing may take it back.
    expect(property).not.toHaveProperty('dynamic');
    const inner = typesIn('properties' in property ? (property.properties ?? {}) : {}, `${path}${name}.`);
    for (const [key, type] of inner) types.set(key, type);
  }
  return types;
}

describe('templates', () => {
  const { components, indices, policies } = renderTemplates(settings);

  test('one for each index, strict, of parts that are there', () => {
    expect(Object.keys(indices).sort()).toEqual(
      ['events', ...singleIndices].map((kind) => `p-${kind}`).sort(),
    );
    for (const { composed_of = [], ignore_missing_component_templates } of Object.values(indices))
      for (const part of composed_of)
        expect(part in components || ignore_missing_component_templates?.includes(part)).toBe(true);
    for (const [name, { template }] of Object.entries(components))
      if (name.endsWith('-mapping')) expect(template.mappings?.dynamic, name).toBe('strict');
    expect(policies).toEqual({});
    expect(JSON.stringify(components)).not.toContain('lifecycle');
  });

  test('times, addresses and numbers of events stay what they are; free-form data alone is flattened', () => {
    const types = typesIn(components['p-events-mapping']?.template.mappings?.properties ?? {});
    expect(types.get('@timestamp')).toBe('date_nanos');
    expect(types.get('source.ip')).toBe('ip');
    expect(types.get('vault.caller.token_ttl_s')).toBe('long');
    expect(types.get('row.ts')).toBe('keyword');
    const flattened = [...types].filter(([, type]) => type === 'flattened').map(([path]) => path);
    expect(flattened).toEqual(['vault.request.data', 'vault.response.data', 'vault.unknown']);
  });

  test('with lifecycle management days go by the name of the index, a day after sealwatch would delete them', () => {
    const { components, policies } = renderTemplates(settings, 400);
    expect(components['p-events-settings']?.template.settings).toMatchObject({
      lifecycle: { name: 'p-lifecycle', parse_origination_date: true },
    });
    expect(policies['p-lifecycle']?.policy?.phases.delete?.min_age).toBe('401d');
    const other = renderTemplates(settings, 401).indices['p-events']?._meta?.['hash'];
    expect(renderTemplates(settings, 400).indices['p-events']?._meta?.['hash']).not.toBe(other);
  });
});

describe('lifecycle management', () => {
  /** The build of the real tests has none. */
  const fakeWithLifecycle = (answer: () => Promise<unknown>) =>
    hasLifecycle({ client: { ilm: { getStatus: answer } } as unknown as Client, settings });
  const refusing = (statusCode: number) => async () => {
    throw Object.assign(new Error('no'), { name: 'ResponseError', statusCode });
  };

  test('is there when the cluster says so', async () => {
    expect(await fakeWithLifecycle(async () => ({ operation_mode: 'RUNNING' }))).toBe(true);
    for (const status of [400, 403, 404, 405]) expect(await fakeWithLifecycle(refusing(status))).toBe(false);
  });

  test('a cluster that does not answer has not said no', async () => {
    await expect(fakeWithLifecycle(refusing(503))).rejects.toMatchObject({
      code: 'ELASTICSEARCH_UNREACHABLE',
    });
    await expect(fakeWithLifecycle(refusing(401))).rejects.toMatchObject({ code: 'ELASTICSEARCH_DENIED' });
  });
});
