// How the client of Elasticsearch logs in: with what stands in the file now.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { elasticsearchSettings } from '../../../core/config-scale.ts';
import { connect } from '../../../storage/evidence/elasticsearch/client.ts';

test('a key that was changed is used with the next call; while its file is empty, the one before', async () => {
  const heard: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    heard.push(request.headers.authorization);
    response.setHeader('x-elastic-product', 'Elasticsearch');
    response.setHeader('content-type', 'application/json');
    response.end('{}');
  });
  const folder = mkdtempSync(join(tmpdir(), 'sw-login-'));
  try {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const apiKeyFile = join(folder, 'key');
    writeFileSync(apiKeyFile, 'first\n');
    const client = await connect(
      elasticsearchSettings.parse({ nodes: [`http://127.0.0.1:${port}`], apiKeyFile }),
    );
    for (const text of ['first', 'second', '']) {
      writeFileSync(apiKeyFile, text);
      await client.info();
    }
    await client.close();
    expect(heard).toEqual(['ApiKey first', 'ApiKey second', 'ApiKey second']);
  } finally {
    server.close();
    rmSync(folder, { recursive: true });
  }
});
