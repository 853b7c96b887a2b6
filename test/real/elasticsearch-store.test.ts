// The evidence store in Elasticsearch against the contract, on a real one.

import { afterAll } from 'vitest';
import { evidenceStoreContract } from '../contract/evidence-store.ts';
import { elasticsearchStore, removeAll, settingsFor } from './elasticsearch-fixture.ts';

const settings = settingsFor(process.env['SEALWATCH_TEST_ELASTICSEARCH'] ?? 'http://127.0.0.1:9200');

afterAll(() => removeAll(settings));

evidenceStoreContract('elasticsearch', async () => elasticsearchStore(settings), { runs: 20 });
