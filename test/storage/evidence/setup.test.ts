// Who may make indices but put no templates: nothing is made that would not be mapped.

import { expect, test } from 'vitest';
import { elasticsearchSettings } from '../../../core/config-scale.ts';
import type { Client } from '../../../storage/evidence/elasticsearch/client.ts';
import { setup } from '../../../storage/evidence/elasticsearch/setup.ts';
import { LAYOUT, renderTemplates } from '../../../storage/evidence/elasticsearch/templates.ts';

const settings = elasticsearchSettings.parse({});
const denied = () =>
  Promise.reject(Object.assign(new Error('no'), { name: 'ResponseError', statusCode: 403 }));

/** A cluster with these templates, which lets nobody put others. */
function clusterWith(names: string[]) {
  const made: string[] = [];
  const layout = { settings: {}, mappings: { _meta: { layout: LAYOUT } } };
  const client = {
    info: async () => ({ version: { number: '9.4.3' } }),
    ilm: { getStatus: denied },
    cluster: { putComponentTemplate: denied },
    indices: {
      getIndexTemplate: async () => ({
        index_templates: names.map((name) => ({ name, index_template: {} })),
      }),
      get: async () => Object.fromEntries(made.map((name) => [name, layout])),
      create: async ({ index }: { index: string }) => void made.push(index),
    },
  };
  return { made, client: client as unknown as Client };
}

test('without templates: refused', async () => {
  const { made, client } = clusterWith([]);
  await expect(setup(client, settings, 400)).rejects.toMatchObject({ code: 'ELASTICSEARCH_DENIED' });
  expect(made).toEqual([]);
});

test('with those of an administrator: they do', async () => {
  const { made, client } = clusterWith(Object.keys(renderTemplates(settings).indices));
  await setup(client, settings, 400);
  expect(made.length).toBe(12);
});
