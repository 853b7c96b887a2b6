// The evidence store in Elasticsearch against the contract, on a real one.

import { afterAll, beforeAll } from 'vitest';
import { evidenceStoreContract } from '../contract/evidence-store.ts';
import { type OwnPrefix, ownPrefix } from './elasticsearch.ts';
import { elasticsearchStore } from './elasticsearch-fixture.ts';

let own: OwnPrefix;
beforeAll(async () => {
  own = await ownPrefix('store');
});
afterAll(() => own[Symbol.asyncDispose]());

evidenceStoreContract('elasticsearch', async () => elasticsearchStore(own), { runs: 20 });
