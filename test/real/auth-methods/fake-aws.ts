// A fake of AWS: STS says who signed a request, by its access key; EC2 describes the one instance there is.

import { type Fake, listen } from './listen.ts';

export const account = '123456789012';
export const instance = 'i-0123456789abcdef0';

/** Access keys and what STS says of them. */
const callers: Record<string, { arn: string; userId: string }> = {
  AKIAEXAMPLEROLE: {
    arn: `arn:aws:sts::${account}:assumed-role/etl-batch/${instance}`,
    userId: `AROAEXAMPLE:${instance}`,
  },
  AKIAEXAMPLEUSER: { arn: `arn:aws:iam::${account}:user/deployer`, userId: 'AIDAEXAMPLE' },
  AKIAEXAMPLEOTHER: { arn: `arn:aws:iam::${account}:user/other`, userId: 'AIDAOTHER' },
};

const identityOf = ({ arn, userId }: { arn: string; userId: string }) => `<?xml version="1.0"?>
<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>${arn}</Arn><UserId>${userId}</UserId><Account>${account}</Account>
</GetCallerIdentityResult><ResponseMetadata><RequestId>example</RequestId></ResponseMetadata></GetCallerIdentityResponse>`;

const instances = `<?xml version="1.0"?>
<DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>example</requestId><reservationSet><item>
<reservationId>r-1</reservationId><ownerId>${account}</ownerId><instancesSet><item><instanceId>${instance}</instanceId>
<imageId>ami-0example</imageId><instanceState><code>16</code><name>running</name></instanceState>
<launchTime>2026-01-01T00:00:00.000Z</launchTime><privateDnsName>ip-10-0-0-5</privateDnsName>
</item></instancesSet></item></reservationSet></DescribeInstancesResponse>`;

export const fakeAws = (): Promise<Fake> =>
  listen(({ headers, body }) => {
    if (body.includes('Action=DescribeInstances')) return { body: instances };
    const key = /Credential=([^/]+)\//.exec(String(headers.authorization))?.[1] ?? '';
    const caller = callers[key] ?? callers['AKIAEXAMPLEUSER'];
    return { body: caller === undefined ? '' : identityOf(caller) };
  });

/** What a client sends to Vault: a request for STS that it has signed with `accessKey`. The fake checks no signature. */
export function signedIdentityRequest(accessKey: string, role: string): object {
  const headers = {
    Authorization: `AWS4-HMAC-SHA256 Credential=${accessKey}/20260101/us-east-1/sts/aws4_request, SignedHeaders=host;x-amz-date, Signature=${'0'.repeat(64)}`,
    'Content-Type': 'application/x-www-form-urlencoded',
    'X-Amz-Date': '20260101T000000Z',
  };
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  return {
    role,
    iam_http_request_method: 'POST',
    iam_request_url: base64('https://sts.amazonaws.com/'),
    iam_request_body: base64('Action=GetCallerIdentity&Version=2011-06-15'),
    iam_request_headers: base64(JSON.stringify(headers)),
  };
}
