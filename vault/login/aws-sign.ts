// The signed request by which AWS tells Vault who we are: sts:GetCallerIdentity, Signature Version 4. We sign it and never send
// it; Vault does.

import { createHash, createHmac } from 'node:crypto';
import type { JsonObject } from '../../core/event.ts';

export interface AwsCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string | undefined;
}

export interface IdentityRequest {
  credentials: AwsCredentials;
  /** `us-east-1` is the global endpoint, as in Vault's own client. */
  region: string;
  /** Value of `X-Vault-AWS-IAM-Server-ID`: a request for another Vault is of no use to this one. */
  serverId?: string | undefined;
  nowMs: number;
}

const BODY = 'Action=GetCallerIdentity&Version=2011-06-15';

/** The members of a login's body beside `role`. */
export function signedIdentity(request: IdentityRequest): JsonObject {
  const { credentials, region, serverId, nowMs } = request;
  const host = hostOf(region);
  const time = new Date(nowMs).toISOString().replace(/[-:]|\.\d+/g, '');
  const headers: Record<string, string> = {
    'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
    host,
    'x-amz-date': time,
    ...(credentials.sessionToken !== undefined && { 'x-amz-security-token': credentials.sessionToken }),
    ...(serverId !== undefined && { 'x-vault-aws-iam-server-id': serverId }),
  };
  const authorization = authorize(credentials, region, time, headers);
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  return {
    iam_http_request_method: 'POST',
    iam_request_url: base64(`https://${host}/`),
    iam_request_body: base64(BODY),
    iam_request_headers: base64(JSON.stringify({ ...headers, authorization })),
  };
}

/** The steps and names of AWS's own description of Signature Version 4. */
function authorize(
  { accessKeyId, secretAccessKey }: AwsCredentials,
  region: string,
  time: string,
  headers: Record<string, string>,
): string {
  const names = Object.keys(headers).sort();
  const signed = names.join(';');
  const canonical = [
    'POST',
    '/',
    '',
    ...names.map((name) => `${name}:${headers[name]}`),
    '',
    signed,
    sha(BODY),
  ];
  const day = time.slice(0, 8);
  const scope = `${day}/${region}/sts/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', time, scope, sha(canonical.join('\n'))].join('\n');
  const key = [day, region, 'sts', 'aws4_request'].reduce<Buffer | string>(hmac, `AWS4${secretAccessKey}`);
  const signature = hmac(key, text).toString('hex');
  return `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${signed}, Signature=${signature}`;
}

const sha = (text: string): string => createHash('sha256').update(text).digest('hex');
const hmac = (key: Buffer | string, text: string): Buffer => createHmac('sha256', key).update(text).digest();

export function hostOf(region: string): string {
  if (region === 'us-east-1') return 'sts.amazonaws.com';
  return `sts.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;
}
