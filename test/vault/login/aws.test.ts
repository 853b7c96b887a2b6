// AWS IAM: the signature, and where the credentials come from. Signatures made with aws4 1.13.2, a common signer, for the same
// request and time; services of the machine and of STS are fakes on loopback.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { awsLogin } from '../../../vault/login/aws.ts';
import { findCredentials } from '../../../vault/login/aws-credentials.ts';
import { signedIdentity } from '../../../vault/login/aws-sign.ts';
import { type Asked, listen, type Reply } from '../../real/auth-methods/listen.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealwatch-aws-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const file = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const keys = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
const nowMs = Date.parse('2026-09-14T10:00:00.900Z');
const decoded = (value: unknown) => Buffer.from(String(value), 'base64').toString();

describe('the signed request', () => {
  it('to the global endpoint', () => {
    const signed = signedIdentity({ credentials: keys, region: 'us-east-1', nowMs });
    expect(signed['iam_http_request_method']).toBe('POST');
    expect(decoded(signed['iam_request_url'])).toBe('https://sts.amazonaws.com/');
    expect(decoded(signed['iam_request_body'])).toBe('Action=GetCallerIdentity&Version=2011-06-15');
    expect(JSON.parse(decoded(signed['iam_request_headers']))).toEqual({
      'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
      host: 'sts.amazonaws.com',
      'x-amz-date': '20260914T100000Z',
      authorization:
        'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260914/us-east-1/sts/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=60d96a4baed248fbc9fc11bad7d9c2062697127434b92361b2027eb38053c27b',
    });
  });

  it('with a session, a region and the id of the server', () => {
    const signed = signedIdentity({
      credentials: { ...keys, sessionToken: 'TOKEN/+=' },
      region: 'eu-central-1',
      serverId: 'vault.example.com',
      nowMs,
    });
    const headers = JSON.parse(decoded(signed['iam_request_headers'])) as Record<string, string>;
    expect(decoded(signed['iam_request_url'])).toBe('https://sts.eu-central-1.amazonaws.com/');
    expect(headers['authorization']).toMatch(
      /SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-vault-aws-iam-server-id, Signature=b52a1c86feae409e190658bdf2ad79a0aa29d2b30fb579288535be90792ea788$/,
    );
  });

  it('in China goes to the endpoint there', () => {
    const signed = signedIdentity({ credentials: keys, region: 'cn-north-1', nowMs });
    expect(decoded(signed['iam_request_url'])).toBe('https://sts.cn-north-1.amazonaws.com.cn/');
  });
});

const region = 'eu-central-1';
const nowhere = { HOME: '/nowhere', AWS_EC2_METADATA_DISABLED: 'true' };
const found = (env: NodeJS.ProcessEnv) => findCredentials({ env: { ...nowhere, ...env }, region });
const variables = { AWS_ACCESS_KEY_ID: 'A', AWS_SECRET_ACCESS_KEY: 'S' };

describe('credentials', () => {
  it('of variables come first', async () => {
    const env = { ...variables, AWS_SESSION_TOKEN: 'T', AWS_SHARED_CREDENTIALS_FILE: '/nowhere' };
    expect(await found(env)).toEqual({
      credentials: { accessKeyId: 'A', secretAccessKey: 'S', sessionToken: 'T' },
    });
  });

  it('of the shared file, by profile', async () => {
    const AWS_SHARED_CREDENTIALS_FILE = file(
      'credentials',
      `[default]\naws_access_key_id = D\naws_secret_access_key = DS\n# [audit]\n[audit]\naws_access_key_id=B\naws_secret_access_key=BS\naws_session_token=BT\n[empty]\n`,
    );
    expect(await found({ AWS_SHARED_CREDENTIALS_FILE })).toMatchObject({ credentials: { accessKeyId: 'D' } });
    expect(await found({ AWS_SHARED_CREDENTIALS_FILE, AWS_PROFILE: 'audit' })).toEqual({
      credentials: { accessKeyId: 'B', secretAccessKey: 'BS', sessionToken: 'BT' },
    });
    expect(await found({ AWS_SHARED_CREDENTIALS_FILE, AWS_PROFILE: 'empty' })).toEqual({
      fault: 'aws_file_profile_without_keys',
    });
    expect(await found({ AWS_SHARED_CREDENTIALS_FILE: '/nowhere' })).toEqual({ fault: 'aws_file_ENOENT' });
  });

  it('of a web identity, from STS', async () => {
    const asked: Asked[] = [];
    const Credentials = { AccessKeyId: 'W', SecretAccessKey: 'WS', SessionToken: 'WT', Expiration: 1 };
    await using sts = await listen((request) => {
      asked.push(request);
      const AssumeRoleWithWebIdentityResult = { Credentials };
      return { body: { AssumeRoleWithWebIdentityResponse: { AssumeRoleWithWebIdentityResult } } };
    });
    const env = {
      AWS_WEB_IDENTITY_TOKEN_FILE: file('web-identity', 'jwt\n'),
      AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/sealwatch',
      AWS_ENDPOINT_URL_STS: sts.url,
    };
    expect(await found(env)).toEqual({
      credentials: { accessKeyId: 'W', secretAccessKey: 'WS', sessionToken: 'WT' },
    });
    const form = new URLSearchParams(asked[0]?.body);
    expect(Object.fromEntries(form)).toMatchObject({
      Action: 'AssumeRoleWithWebIdentity',
      RoleArn: env.AWS_ROLE_ARN,
      WebIdentityToken: 'jwt',
    });
    expect(asked[0]?.headers.accept).toBe('application/json');
  });

  const handedOut = { AccessKeyId: 'M', SecretAccessKey: 'MS', Token: 'MT' };
  const machineKeys = { credentials: { accessKeyId: 'M', secretAccessKey: 'MS', sessionToken: 'MT' } };

  it('of the container', async () => {
    const asked: Asked[] = [];
    await using agent = await listen((request) => {
      asked.push(request);
      return { body: handedOut };
    });
    const env = {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${agent.url}/v1/credentials`,
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: file('pod-identity', 'pod\n'),
    };
    expect(await found(env)).toEqual(machineKeys);
    expect(asked[0]?.headers.authorization).toBe('pod');
  });

  it('of the machine, with a session first', async () => {
    await using machine = await listen(({ method, url, headers }): Reply => {
      if (method === 'PUT' && url.pathname === '/latest/api/token') return { body: 'session' };
      if (headers['x-aws-ec2-metadata-token'] !== 'session') return { status: 401, body: '' };
      return { body: url.pathname.endsWith('/sealwatch') ? handedOut : 'sealwatch\n' };
    });
    const env = { AWS_EC2_METADATA_DISABLED: 'false', AWS_EC2_METADATA_SERVICE_ENDPOINT: `${machine.url}/` };
    expect(await found(env)).toEqual(machineKeys);
  });

  it.each([
    ['refuses', { status: 500, body: '' }, 'aws_container_status_500'],
    ['says what is no JSON', { body: 'x' }, 'aws_container_failed'],
    ['says something else', { body: {} }, 'aws_container_odd_answer'],
    ['never ends', { body: 'x'.repeat(70_000) }, 'aws_container_answer_too_large'],
  ])('an agent that %s is a fault, and no other place is tried', async (_, reply, fault) => {
    await using agent = await listen(() => reply);
    expect(await found({ AWS_CONTAINER_CREDENTIALS_FULL_URI: agent.url })).toEqual({ fault });
  });

  it('of nowhere', async () => {
    expect(await found({})).toEqual({ fault: 'aws_no_credentials' });
  });
});

it('a login names the role when there is one', async () => {
  const options = { mount: 'aws', region, env: { ...nowhere, ...variables }, now: () => nowMs };
  const bodyOf = async (role?: string) => {
    const made = await awsLogin({ ...options, role }).body();
    return 'body' in made ? Object.keys(made.body) : made;
  };
  expect(await bodyOf('sealwatch')).toContain('role');
  expect(await bodyOf()).not.toContain('role');
  const none = awsLogin({ ...options, env: nowhere });
  expect(await none.body()).toEqual({ fault: 'aws_no_credentials' });
});
