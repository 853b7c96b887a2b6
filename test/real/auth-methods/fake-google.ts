// A fake of Google's APIs: access tokens, the keys that signed an identity token, service accounts, the one instance there is.

import { type Fake, listen } from './listen.ts';

export const googleKey = 'example-google-key';
export const serviceAccount = 'deploy@example-project.iam.gserviceaccount.com';
/** Claims of an instance's identity token. */
export const googleInstance = {
  project_id: 'example-project',
  project_number: 1234567890,
  zone: 'europe-west1-b',
  instance_id: '1234567890123456789',
  instance_name: 'batch-worker-1',
  instance_creation_timestamp: 1_767_225_600,
};

const account = {
  name: `projects/example-project/serviceAccounts/${serviceAccount}`,
  projectId: 'example-project',
  uniqueId: '109876543210987654321',
  email: serviceAccount,
};

const machine = {
  id: googleInstance.instance_id,
  name: googleInstance.instance_name,
  status: 'RUNNING',
  zone: `https://www.googleapis.com/compute/v1/projects/example-project/zones/${googleInstance.zone}`,
  creationTimestamp: '2026-01-01T00:00:00Z',
  serviceAccounts: [{ email: serviceAccount }],
};

/** `certificate` belongs to the key that signs the identity tokens. */
export const fakeGoogle = (certificate: string): Promise<Fake> =>
  listen(({ url }) => {
    const replies: [RegExp, object][] = [
      [/^\/token$/, { access_token: 'example', token_type: 'Bearer', expires_in: 3600 }],
      [/^\/(oauth2\/v1\/certs|service_accounts\/v1\/metadata\/x509\/)/, { [googleKey]: certificate }],
      [/\/serviceAccounts\/(deploy@|109876543210987654321$)/, account],
      [/\/instances\/batch-worker-1$/, machine],
    ];
    const found = replies.find(([path]) => path.test(decodeURIComponent(url.pathname)));
    return found === undefined ? { status: 404, body: { error: { code: 404 } } } : { body: found[1] };
  });

/** The file that a program of Google's libraries takes its credentials from. */
export const credentialsFile = (url: string, privateKey: string): string =>
  JSON.stringify({
    type: 'service_account',
    project_id: 'example-project',
    private_key_id: googleKey,
    private_key: privateKey,
    client_email: 'vault@example-project.iam.gserviceaccount.com',
    client_id: '1',
    token_uri: `${url}/token`,
  });
