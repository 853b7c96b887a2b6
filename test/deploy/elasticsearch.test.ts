// deploy/elasticsearch shows the templates that sealwatch puts, and roles whose every name Elasticsearch documents.

import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../core/config.ts';
import { elasticsearchSettings } from '../../core/config-scale.ts';
import { indexName, singleIndices } from '../../storage/evidence/elasticsearch/names.ts';
import { renderTemplates } from '../../storage/evidence/elasticsearch/templates.ts';

const folder = 'deploy/elasticsearch';
const { components, indices, policies } = renderTemplates(
  elasticsearchSettings.parse({}),
  loadConfig({}).retention.eventDays,
);

/** In the order in which they must be put, each with the API that takes it. */
const apis = { _ilm_policy: policies, _component_template: components, _index_template: indices };

describe('the templates of the default configuration', () => {
  const wanted = Object.entries(apis).flatMap(([api, bodies]) =>
    Object.entries(bodies).map(([name, body]) => ({ file: `${api}/${name}.json`, body })),
  );

  it.each(wanted)('$file is what sealwatch puts', async ({ file, body }) => {
    await expect(`${JSON.stringify(body, undefined, 1)}\n`).toMatchFileSnapshot(
      `../../${folder}/templates/${file}`,
    );
  });

  it('there are no others', () => {
    const there = Object.keys(apis).flatMap((api) =>
      readdirSync(`${folder}/templates/${api}`).map((name) => `${api}/${name}`),
    );
    expect(there.sort()).toEqual(wanted.map(({ file }) => file).sort());
  });
});

describe('the roles', () => {
  const roles = readdirSync(`${folder}/roles`).map((file) => ({
    file,
    role: JSON.parse(readFileSync(`${folder}/roles/${file}`, 'utf8')) as {
      cluster: string[];
      indices: { names: string[]; privileges: string[] }[];
    },
  }));

  it.each(roles)('$file is for the indices of sealwatch alone, and may not do everything', ({ role }) => {
    expect(Object.keys(role).sort()).toEqual(['cluster', 'indices']);
    expect(role.indices.map(({ names }) => names)).toEqual([['sealwatch-*']]);
    const all = [...role.cluster, ...role.indices.flatMap(({ privileges }) => privileges)];
    expect(all.filter((one) => /^(all|manage|manage_security|write)$/.test(one))).toEqual([]);
  });

  it('setup.sh puts each of them', () => {
    const named = /for role in ([a-z ]+); do/.exec(readFileSync(`${folder}/setup.sh`, 'utf8'))?.[1];
    expect(
      named
        ?.split(' ')
        .map((name) => `sealwatch-${name}.json`)
        .sort(),
    ).toEqual(roles.map(({ file }) => file).sort());
    expect(singleIndices.every((kind) => indexName('sealwatch', kind).startsWith('sealwatch-'))).toBe(true);
  });
});
