// Where a program finds its AWS credentials, in the order of AWS's own tools: variables, web identity (EKS), the shared file,
// the container's agent (ECS, EKS Pod Identity), the machine (EC2). Read anew for each login: all but the first rotate.

import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { faultOf } from '../client.ts';
import { type AwsCredentials, hostOf } from './aws-sign.ts';

export interface CredentialSource {
  env: NodeJS.ProcessEnv;
  region: string;
}

export type Found = { credentials: AwsCredentials } | { fault: string };
/** `undefined`: this place is not meant. */
type Place = (source: CredentialSource) => Promise<Found | undefined>;

const PLACES: [name: string, place: Place][] = [
  ['variables', fromVariables],
  ['web_identity', fromWebIdentity],
  ['file', fromFile],
  ['container', fromContainer],
  ['machine', fromMachine],
];

/** `aws_<place>_...` says why the first place that is meant gives none. Never throws. */
export async function findCredentials(source: CredentialSource): Promise<Found> {
  for (const [name, place] of PLACES) {
    const found = await place(source).catch((error: unknown) => ({ fault: faultOf(error) }));
    if (found !== undefined) return 'fault' in found ? { fault: `aws_${name}_${found.fault}` } : found;
  }
  return { fault: 'aws_no_credentials' };
}

async function fromVariables({ env }: CredentialSource): Promise<Found | undefined> {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = env;
  if (!accessKeyId || !secretAccessKey) return undefined;
  return {
    credentials: { accessKeyId, secretAccessKey, sessionToken: env['AWS_SESSION_TOKEN'] || undefined },
  };
}

const assumed = z.object({
  AssumeRoleWithWebIdentityResponse: z.object({
    AssumeRoleWithWebIdentityResult: z.object({
      Credentials: z.object({
        AccessKeyId: z.string(),
        SecretAccessKey: z.string(),
        SessionToken: z.string(),
      }),
    }),
  }),
});

async function fromWebIdentity({ env, region }: CredentialSource): Promise<Found | undefined> {
  const { AWS_WEB_IDENTITY_TOKEN_FILE: file, AWS_ROLE_ARN: role } = env;
  if (!file || !role) return undefined;
  const form = new URLSearchParams({
    Action: 'AssumeRoleWithWebIdentity',
    Version: '2011-06-15',
    RoleArn: role,
    RoleSessionName: env['AWS_ROLE_SESSION_NAME'] || 'sealwatch',
    WebIdentityToken: readFileSync(file, 'utf8').trim(),
  });
  const url = env['AWS_ENDPOINT_URL_STS'] || `https://${hostOf(region)}/`;
  const answer = assumed.safeParse(await askJson(url, { method: 'POST', body: form }));
  if (!answer.success) return { fault: 'odd_answer' };
  const { AccessKeyId, SecretAccessKey, SessionToken } =
    answer.data.AssumeRoleWithWebIdentityResponse.AssumeRoleWithWebIdentityResult.Credentials;
  return {
    credentials: {
      accessKeyId: AccessKeyId,
      secretAccessKey: SecretAccessKey,
      sessionToken: SessionToken,
    },
  };
}

async function fromFile({ env }: CredentialSource): Promise<Found | undefined> {
  const named = env['AWS_SHARED_CREDENTIALS_FILE'];
  let text: string;
  try {
    text = readFileSync(named || join(env['HOME'] || homedir(), '.aws', 'credentials'), 'utf8');
  } catch (error) {
    return named ? { fault: faultOf(error) } : undefined;
  }
  const profile = profileOf(text, env['AWS_PROFILE'] || 'default');
  const [accessKeyId, secretAccessKey] = [profile['aws_access_key_id'], profile['aws_secret_access_key']];
  if (!accessKeyId || !secretAccessKey) return { fault: 'profile_without_keys' };
  return { credentials: { accessKeyId, secretAccessKey, sessionToken: profile['aws_session_token'] } };
}

/** Keys of one `[profile]` of the shared file. */
function profileOf(text: string, profile: string): Record<string, string> {
  const keys: Record<string, string> = {};
  let isIn = false;
  for (const line of text.split('\n')) {
    const section = /^\s*\[\s*(.+?)\s*\]\s*$/.exec(line)?.[1];
    if (section !== undefined) isIn = section === profile;
    const [, key, value] = /^\s*(\w+)\s*=\s*(\S+)\s*$/.exec(line) ?? [];
    if (isIn && key !== undefined && value !== undefined) keys[key] = value;
  }
  return keys;
}

const handedOut = z.object({ AccessKeyId: z.string(), SecretAccessKey: z.string(), Token: z.string() });

function credentialsOf(answer: unknown): Found {
  const { success, data } = handedOut.safeParse(answer);
  if (!success) return { fault: 'odd_answer' };
  return {
    credentials: {
      accessKeyId: data.AccessKeyId,
      secretAccessKey: data.SecretAccessKey,
      sessionToken: data.Token,
    },
  };
}

async function fromContainer({ env }: CredentialSource): Promise<Found | undefined> {
  const relative = env['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI'];
  const url = relative ? `http://169.254.170.2${relative}` : env['AWS_CONTAINER_CREDENTIALS_FULL_URI'];
  if (!url) return undefined;
  const file = env['AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE'];
  const token = file ? readFileSync(file, 'utf8').trim() : env['AWS_CONTAINER_AUTHORIZATION_TOKEN'];
  return credentialsOf(await askJson(url, { headers: token ? { authorization: token } : {} }));
}

/** Version 2 of the machine's service: a session first. */
async function fromMachine({ env }: CredentialSource): Promise<Found | undefined> {
  if (env['AWS_EC2_METADATA_DISABLED']?.toLowerCase() === 'true') return undefined;
  const at = (env['AWS_EC2_METADATA_SERVICE_ENDPOINT'] || 'http://169.254.169.254').replace(/\/$/, '');
  const ttl = { 'x-aws-ec2-metadata-token-ttl-seconds': '60' };
  const session = await askText(`${at}/latest/api/token`, { method: 'PUT', headers: ttl });
  const headers = { 'x-aws-ec2-metadata-token': session };
  const path = `${at}/latest/meta-data/iam/security-credentials/`;
  const role = (await askText(path, { headers })).split('\n')[0] ?? '';
  return credentialsOf(await askJson(`${path}${encodeURIComponent(role)}`, { headers }));
}

const ASK_MS = 5_000;
const ANSWER_CHARS_MAX = 65_536;

async function askText(url: string, init: RequestInit): Promise<string> {
  const headers = { accept: 'application/json', ...(init.headers as Record<string, string>) };
  const answer = await fetch(url, {
    ...init,
    headers,
    redirect: 'error',
    signal: AbortSignal.timeout(ASK_MS),
  });
  let text = '';
  for await (const chunk of answer.body ?? []) {
    text += Buffer.from(chunk).toString();
    if (text.length > ANSWER_CHARS_MAX)
      throw Object.assign(new Error('too large'), { code: 'answer_too_large' });
  }
  if (answer.ok) return text;
  throw Object.assign(new Error('refused'), { code: `status_${answer.status}` });
}

const askJson = async (url: string, init: RequestInit): Promise<unknown> =>
  JSON.parse(await askText(url, init));
