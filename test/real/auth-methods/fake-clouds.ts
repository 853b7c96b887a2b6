// Fakes of services whose addresses are fixed: a proxy on loopback takes Vault's connections to them, and a server with a
// certificate for their names answers: Okta, Azure's directory, AliCloud's STS. Nothing leaves the machine.

import { createServer as createProxy } from 'node:http';
import { createServer } from 'node:https';
import { connect, type Server, type Socket } from 'node:net';
import type { Certificate } from './certificates.ts';
import { makeKey, type SigningKey } from './jwt.ts';

export const tenant = '11111111-2222-4333-8444-555555555555';
export const cloudHosts = ['example.okta.com', 'login.microsoftonline.com', 'sts.us-east-1.aliyuncs.com'];

export interface FakeClouds extends AsyncDisposable {
  /** For HTTPS_PROXY. */
  proxy: string;
  /** Signs Azure's tokens. */
  azureKey: SigningKey;
}

/** `server` is the certificate for `cloudHosts`. */
export async function fakeClouds(server: Certificate, password: string): Promise<FakeClouds> {
  const azureKey = makeKey();
  const sockets = new Set<Socket>();
  const https = createServer({ cert: server.cert, key: server.key }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const asked = `${request.headers.host}${request.url}`;
      const [status, body] = answer(asked, Buffer.concat(chunks).toString(), azureKey, password);
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
  });
  const inner = await listenOn(https);
  const proxy = createProxy().on('connect', (request, socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    if (!cloudHosts.includes(request.url?.split(':')[0] ?? '')) return socket.destroy();
    const onward = connect(inner, '127.0.0.1', () => socket.write('HTTP/1.1 200 OK\r\n\r\n'));
    onward.on('error', () => socket.destroy());
    return socket.pipe(onward).pipe(socket);
  });
  return {
    proxy: `http://127.0.0.1:${await listenOn(proxy)}`,
    azureKey,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      https.closeAllConnections();
      await Promise.all([proxy, https].map((one) => new Promise((done) => one.close(done))));
    },
  };
}

async function listenOn(server: Server): Promise<number> {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

const principal = '3016000000000000:vm-1';

/** What `https://<asked>` answers to `body`. */
function answer(asked: string, body: string, key: SigningKey, password: string): [number, object] {
  if (asked.startsWith('example.okta.com/api/v1/authn')) {
    if ((JSON.parse(body) as { password: string }).password !== password)
      return [401, { errorCode: 'E0000004', errorSummary: 'Authentication failed' }];
    return [200, { status: 'SUCCESS', _embedded: { user: { id: 'okta-user-1', profile: {} } } }];
  }
  if (asked.endsWith('/openid-configuration')) {
    const issuer = `https://sts.windows.net/${tenant}/`;
    return [200, { issuer, jwks_uri: 'https://login.microsoftonline.com/keys' }];
  }
  if (asked.startsWith('login.microsoftonline.com/keys')) {
    const jwk = { ...key.publicKey.export({ format: 'jwk' }), kid: key.id, alg: 'RS256', use: 'sig' };
    return [200, { keys: [jwk] }];
  }
  if (!asked.includes('Action=GetCallerIdentity') || asked.includes('AccessKeyId=wrong')) return [403, {}];
  const identity = {
    AccountId: '5138828231865461',
    UserId: principal,
    RoleId: '3016000000000000',
    Arn: 'acs:ram::5138828231865461:assumed-role/dev-role/vm-1',
    IdentityType: 'AssumedRoleUser',
    PrincipalId: principal,
    RequestId: '00000000-1111-4222-8333-444444444444',
  };
  return [200, identity];
}
