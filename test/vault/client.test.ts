// The client of Vault: every fault is a value, the token goes nowhere it should not, the answer is bounded.

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { describe, expect, it } from 'vitest';
import { limits } from '../../core/limits.ts';
import { VaultClient } from '../../vault/client.ts';
import { FakeVault } from './fake-vault.ts';

const clientOf = (address: string, more: object = {}) => {
  const client = new VaultClient({ address, ...more });
  return { read: (path: string) => client.call({ method: 'GET', path, token: 'example-token' }) };
};

describe('the client of Vault', () => {
  it('shows its token and gives status, body and date', async () => {
    await using vault = await FakeVault.start((_, response) => {
      response.setHeader('date', 'Mon, 14 Sep 2026 10:00:00 GMT');
      response.end('{"request_id":"r1"}');
    });
    expect(await clientOf(vault.address).read('auth/token/lookup-self')).toEqual({
      status: 200,
      body: { request_id: 'r1' },
      dateMs: Date.parse('2026-09-14T10:00:00Z'),
      fault: undefined,
    });
    expect(vault.asked).toEqual([{ path: '/v1/auth/token/lookup-self', token: 'example-token' }]);
  });

  it('sends method, body and namespace', async () => {
    await using vault = await FakeVault.start((_, response) => response.end('{}'));
    const client = new VaultClient({ address: vault.address });
    const body = { lease_id: 'database/creds/x/1' };
    await client.call({ method: 'POST', path: 'sys/leases/lookup', body, namespace: 'team/', token: 't' });
    await client.call({ method: 'GET', path: 'x' });
    expect(vault.calls).toEqual([
      { method: 'POST', path: '/v1/sys/leases/lookup', token: 't', namespace: 'team/', body },
      { method: 'GET', path: '/v1/x', token: undefined, namespace: undefined, body: undefined },
    ]);
  });

  it('a name in a path ends no path', async () => {
    await using vault = await FakeVault.start((_, response) => response.end('{}'));
    await clientOf(vault.address).read('auth/approle/role/a?help=1#b c/%2e');
    expect(vault.asked[0]?.path).toBe('/v1/auth/approle/role/a%3Fhelp%3D1%23b%20c/%252e');
  });

  it.each([
    ['7', 7_000],
    ['99999999', limits.vaultRetryAfterMsMax],
    ['Wed, 21 Oct 2026 07:28:00 GMT', undefined],
    ['-1', undefined],
  ])('Retry-After %s', async (header, retryMs) => {
    await using vault = await FakeVault.start((_, response) => {
      response.writeHead(429, { 'retry-after': header }).end('{}');
    });
    expect(await clientOf(vault.address).read('x')).toMatchObject({
      status: 429,
      fault: 'status_429',
      ...(retryMs !== undefined && { retryMs }),
    });
  });

  it('no content is an answer', async () => {
    await using vault = await FakeVault.start((_, response) => response.writeHead(204).end());
    expect(await clientOf(vault.address).read('x')).toMatchObject({ status: 204, fault: undefined });
  });

  it.each([
    ['a refusal', 403, '{"errors":["permission denied"]}', 'status_403'],
    ['a sealed Vault', 503, '{"errors":["Vault is sealed"]}', 'status_503'],
    ['what is not JSON', 200, '<html>', 'not_json'],
    ['JSON that is no object', 200, '[]', 'not_json'],
    ['an endless answer', 200, 'x'.repeat(limits.vaultAnswerBytesMax + 1), 'answer_too_large'],
  ])('%s is a fault', async (_, status, body, fault) => {
    await using vault = await FakeVault.start((_request, response) => {
      response.statusCode = status;
      response.end(body);
    });
    expect((await clientOf(vault.address).read('x')).fault).toBe(fault);
  });

  it('a Vault that is gone, that hangs, and that breaks off', async () => {
    const gone = await FakeVault.start(() => {});
    await gone[Symbol.asyncDispose]();
    expect((await clientOf(gone.address).read('x')).fault).toBe('ECONNREFUSED');
    await using silent = await FakeVault.start(() => {});
    expect((await clientOf(silent.address, { callMs: 50 }).read('x')).fault).toBe('timeout');
    await using slow = await FakeVault.start((_, response) => void response.write('{'));
    expect((await clientOf(slow.address, { callMs: 50 }).read('x')).fault).toBe('timeout');
    await using rude = await FakeVault.start((request) => void request.socket.destroy());
    expect((await clientOf(rude.address).read('x')).fault).toBe('ECONNRESET');
  });

  it('a CA file that is missing is a fault', async () => {
    const answer = await clientOf('https://127.0.0.1:1', { caFile: 'test/nowhere' }).read('x');
    expect(answer.fault).toBe('ENOENT');
  });
});

describe('a standby that names the active node', () => {
  const standbyOf = (location: string) =>
    FakeVault.start((_, response) => {
      response.statusCode = 307;
      response.setHeader('location', location);
      response.end();
    });

  it('is followed on the same host', async () => {
    await using active = await FakeVault.start((_, response) => response.end('{"request_id":"r2"}'));
    await using standby = await standbyOf(`${active.address}/v1/x`);
    expect((await clientOf(standby.address).read('x')).body).toEqual({ request_id: 'r2' });
    expect(active.asked).toEqual([{ path: '/v1/x', token: 'example-token' }]);
  });

  it('is not followed to another host without TLS, nor for ever', async () => {
    await using elsewhere = await FakeVault.start((_, response) => response.end('{}'));
    await using standby = await standbyOf(`${elsewhere.address.replace('127.0.0.1', 'localhost')}/v1/x`);
    expect((await clientOf(standby.address).read('x')).fault).toBe('unsafe_redirect');
    expect(elsewhere.asked).toEqual([]);
    await using round = await standbyOf('/v1/again');
    expect((await clientOf(round.address).read('x')).fault).toBe('too_many_redirects');
    expect(round.asked).toHaveLength(limits.vaultRedirectsMax + 1);
  });

  it('goes to another host by TLS', async () => {
    await using standby = await standbyOf('https://127.0.0.1:1/v1/x');
    expect((await clientOf(standby.address).read('x')).fault).toBe('ECONNREFUSED');
  });
});

describe('TLS', () => {
  const pem = (name: string) => `test/fixtures/tls/${name}`;

  it('needs the authority of the certificate, and never shows the token without it', async () => {
    const tokens: unknown[] = [];
    const options = { cert: readFileSync(pem('listener.crt')), key: readFileSync(pem('listener.key')) };
    const server = createServer(options, (request, response) => {
      tokens.push(request.headers['x-vault-token']);
      response.end('{"request_id":"r1"}');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = `https://127.0.0.1:${(server.address() as { port: number }).port}`;
    const faultOf = async (caFile?: string) => (await clientOf(address, { caFile }).read('x')).fault;
    expect(await faultOf()).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
    expect(await faultOf(pem('stranger.crt'))).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
    expect(tokens).toEqual([]);
    expect(await faultOf(pem('ca.crt'))).toBeUndefined();
    expect(tokens).toEqual(['example-token']);
    server.close();
    await once(server, 'close');
  });
});
