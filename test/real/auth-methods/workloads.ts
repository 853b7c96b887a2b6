// Scenes of the auth methods for workloads: AppRole, Kubernetes, AWS (IAM and EC2), JWT, certificates.

import { constants, createPrivateKey, sign } from 'node:crypto';
import type { Vault } from '../vault-client.ts';
import { issue, makeAuthority } from './certificates.ts';
import { account, fakeAws, instance, signedIdentityRequest } from './fake-aws.ts';
import { cf, cfInstance, fakeCloudFoundry } from './fake-cloud-foundry.ts';
import { tenant } from './fake-clouds.ts';
import { googleInstance, googleKey, serviceAccount } from './fake-google.ts';
import { fakeKubernetes } from './fake-kubernetes.ts';
import { makeKey, signJwt } from './jwt.ts';
import { enable, live, policies, type Scene, type Stage } from './stage.ts';

const from = '127.0.0.21';
const token = { token_policies: policies, token_ttl: '20m' };

export const workloads = (stage: Stage): Scene[] => [
  approle(stage, 'approle', 'approle', 'billing'),
  approle(stage, 'approle-own-mount', 'team-a/ci', 'deploy'),
  kubernetes(stage),
  awsIam(stage, 'aws-iam', 'aws'),
  awsIam(stage, 'aws-iam-arns', 'aws-prod'),
  awsEc2(stage),
  gcpIam(stage),
  gcpGce(stage),
  azure(stage),
  cloudFoundry(stage),
  alicloud(stage),
  jwt(stage, 'jwt', 'jwt', 'repo:example/shop:ref:refs/heads/main'),
  jwt(stage, 'jwt-own-mount', 'gitlab', 'project_path:example/shop:ref_type:branch:ref:main'),
  jwt(stage, 'jwt-on-oidc', 'oidc', 'system:serviceaccount:shop:cart'),
  cert(stage),
];

async function loginAndLive(vault: Vault, path: string, body: object): Promise<void> {
  await live(vault, await vault.login(path, body, from), from);
}

function approle({ vault }: Stage, name: string, mount: string, role: string): Scene {
  const login = `auth/${mount}/login`;
  const secretId = (metadata?: object) =>
    vault.root('POST', `auth/${mount}/role/${role}/secret-id`, {
      ...(metadata === undefined ? {} : { metadata: JSON.stringify(metadata) }),
    });
  return {
    name,
    async prepare() {
      await enable(vault, 'approle', mount);
      await vault.root('POST', `auth/${mount}/role/${role}`, token);
    },
    async play() {
      const { data } = await vault.root('GET', `auth/${mount}/role/${role}/role-id`);
      const { role_id } = data;
      await vault.refused('POST', login, { from, body: { role_id, secret_id: 'wrong' } });
      const plain = await secretId();
      await loginAndLive(vault, login, { role_id, secret_id: plain.data['secret_id'] });
      // Whoever makes secret ids writes their metadata, and may lie there.
      const lie = {
        username: 'alice',
        service_account_name: 'cart',
        account_id: account,
        org: 'example-org',
      };
      const liar = await secretId(lie);
      await loginAndLive(vault, login, { role_id, secret_id: liar.data['secret_id'] });
    },
  };
}

const kubernetes = ({ vault, keep }: Stage): Scene => ({
  name: 'kubernetes',
  async prepare() {
    const { url } = keep(await fakeKubernetes());
    const reviewer = signJwt(makeKey(), { sub: 'system:serviceaccount:vault:reviewer' });
    await enable(vault, 'kubernetes', 'kubernetes', {
      kubernetes_host: url,
      token_reviewer_jwt: reviewer,
      disable_local_ca_jwt: true,
    });
    await vault.root('POST', 'auth/kubernetes/role/shop-app', {
      bound_service_account_names: '*',
      bound_service_account_namespaces: 'web-shop',
      ...token,
    });
  },
  async play() {
    const key = makeKey();
    const body = (account: string) => ({
      role: 'shop-app',
      jwt: signJwt(key, {
        iss: 'https://kubernetes.default.svc.cluster.local',
        sub: `system:serviceaccount:web-shop:${account}`,
        'kubernetes.io': {
          namespace: 'web-shop',
          serviceaccount: { name: account, uid: `uid-of-${account}` },
        },
      }),
    });
    const path = 'auth/kubernetes/login';
    await vault.refused('POST', path, { from, body: body('stranger') });
    await loginAndLive(vault, path, body('cart-api'));
  },
});

/** `aws-iam-arns` shows more of the caller in the metadata, as operators configure who want to know it. */
function awsIam({ vault, keep }: Stage, name: string, mount: string): Scene {
  return {
    name,
    async prepare() {
      const { url } = keep(await fakeAws());
      await enable(vault, 'aws', mount);
      await vault.root('POST', `auth/${mount}/config/client`, {
        access_key: 'AKIAEXAMPLEUSER',
        secret_key: 'example-secret-key',
        endpoint: url,
        iam_endpoint: url,
        sts_endpoint: url,
        sts_region: 'us-east-1',
      });
      if (name === 'aws-iam-arns') {
        const iam_metadata = ['account_id', 'auth_type', 'canonical_arn', 'client_arn'];
        await vault.root('POST', `auth/${mount}/config/identity`, { iam_metadata });
      }
      const arns = [`arn:aws:iam::${account}:role/etl-batch`, `arn:aws:iam::${account}:user/deployer`];
      await vault.root('POST', `auth/${mount}/role/batch`, {
        auth_type: 'iam',
        bound_iam_principal_arn: arns,
        resolve_aws_unique_ids: false,
        ...token,
      });
    },
    async play() {
      const path = `auth/${mount}/login`;
      const body = signedIdentityRequest('AKIAEXAMPLEOTHER', 'batch');
      await vault.refused('POST', path, { from, body });
      await loginAndLive(vault, path, signedIdentityRequest('AKIAEXAMPLEROLE', 'batch'));
      await loginAndLive(vault, path, signedIdentityRequest('AKIAEXAMPLEUSER', 'batch'));
    },
  };
}

/** Needs the mount and the fake of `aws-iam`. The instance's document is signed with a certificate of our own. */
const awsEc2 = ({ vault, folder }: Stage): Scene => {
  const signer = makeAuthority(folder, 'ec2');
  return {
    name: 'aws-ec2',
    async prepare() {
      await vault.root('POST', 'auth/aws/config/certificate/example', {
        type: 'identity',
        aws_public_cert: Buffer.from(signer.cert).toString('base64'),
      });
      await vault.root('POST', 'auth/aws/role/ec2-web', {
        auth_type: 'ec2',
        bound_ami_id: 'ami-0example',
        ...token,
      });
    },
    async play() {
      const document = JSON.stringify({
        accountId: account,
        imageId: 'ami-0example',
        instanceId: instance,
        pendingTime: '2026-01-01T00:00:00Z',
        region: 'us-east-1',
      });
      const body = {
        role: 'ec2-web',
        identity: Buffer.from(document).toString('base64'),
        signature: sign('sha256', Buffer.from(document), signer.key).toString('base64'),
        nonce: 'example-nonce',
      };
      const path = 'auth/aws/login';
      const identity = Buffer.from(document.replace(instance, 'i-other')).toString('base64');
      await vault.refused('POST', path, { from, body: { ...body, identity } });
      await loginAndLive(vault, path, body);
    },
  };
};

/** The identity token of a service account or of an instance's, signed by Google. */
const googleToken = ({ googleSigner }: Stage, role: string, claims: object): string =>
  signJwt(
    { id: googleKey, privateKey: createPrivateKey(googleSigner.key) },
    { sub: serviceAccount, aud: `https://vault.example.com/vault/${role}`, ...claims },
  );

const gcpIam = (stage: Stage): Scene => ({
  name: 'gcp-iam',
  async prepare() {
    const { vault, google } = stage;
    const endpoints = { api: google.url, iam: google.url, compute: `${google.url}/compute/v1/` };
    await enable(vault, 'gcp', 'gcp', { custom_endpoint: endpoints });
    const bound_service_accounts = serviceAccount;
    await vault.root('POST', 'auth/gcp/role/deployers', { type: 'iam', bound_service_accounts, ...token });
  },
  async play() {
    const path = 'auth/gcp/login';
    const role = 'deployers';
    const body = { role, jwt: googleToken(stage, role, {}) };
    await stage.vault.refused('POST', path, {
      from,
      body: { ...body, jwt: googleToken(stage, 'other', {}) },
    });
    await loginAndLive(stage.vault, path, body);
  },
});

/** Needs the mount of `gcp-iam`. */
const gcpGce = (stage: Stage): Scene => ({
  name: 'gcp-gce',
  async prepare() {
    const body = { type: 'gce', bound_projects: 'example-project', ...token };
    await stage.vault.root('POST', 'auth/gcp/role/machines', body);
  },
  async play() {
    const jwt = googleToken(stage, 'machines', { google: { compute_engine: googleInstance } });
    await loginAndLive(stage.vault, 'auth/gcp/login', { role: 'machines', jwt });
  },
});

/** A managed identity that says which machine it is on, and an application that says nothing. */
const azure = ({ vault, clouds }: Stage): Scene => ({
  name: 'azure',
  async prepare() {
    await enable(vault, 'azure', 'azure', { tenant_id: tenant, resource: 'https://vault.example.com' });
    await vault.root('POST', 'auth/azure/role/web', {
      bound_service_principal_ids: servicePrincipal,
      ...token,
    });
  },
  async play() {
    const path = 'auth/azure/login';
    const body = (oid: string, appid?: string) => ({
      role: 'web',
      jwt: signJwt(clouds.azureKey, {
        iss: `https://sts.windows.net/${tenant}/`,
        aud: 'https://vault.example.com',
        oid,
        appid,
      }),
    });
    await vault.refused('POST', path, { from, body: body('other') });
    const machine = { subscription_id: tenant, resource_group_name: 'shop', vm_name: 'web-1' };
    await loginAndLive(vault, path, { ...body(servicePrincipal), ...machine });
    await loginAndLive(vault, path, body(servicePrincipal, 'app-of-shop'));
  },
});

const servicePrincipal = 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee';

const cloudFoundry = (stage: Stage): Scene => {
  const subject = `${cfInstance}/OU=organization:${cf.organization}/OU=space:${cf.space}/OU=app:${cf.app}`;
  return {
    name: 'cf',
    async prepare() {
      const { url } = stage.keep(await fakeCloudFoundry());
      await enable(stage.vault, 'cf', 'cf', {
        identity_ca_certificates: stage.authority.cert,
        cf_api_addr: url,
        cf_username: 'vault',
        cf_password: 'example-password',
      });
      const body = { bound_application_ids: cf.app, disable_ip_matching: true, ...token };
      await stage.vault.root('POST', 'auth/cf/roles/shop', body);
    },
    async play() {
      const { cert, key } = issue(stage.folder, stage.authority, 'cf', subject);
      const cf_instance_cert = cert + stage.authority.cert;
      const signing_time = new Date().toISOString().replace(/\.\d+Z/, 'Z');
      const body = (role: string) => {
        const text = Buffer.from(signing_time + cf_instance_cert + role);
        const signature = sign('sha256', text, { key, padding: constants.RSA_PKCS1_PSS_PADDING });
        return {
          role: 'shop',
          cf_instance_cert,
          signing_time,
          signature: `v1:${signature.toString('base64')}`,
        };
      };
      const path = 'auth/cf/login';
      await stage.vault.refused('POST', path, { from, body: body('other') });
      await loginAndLive(stage.vault, path, body('shop'));
    },
  };
};

const alicloud = ({ vault }: Stage): Scene => ({
  name: 'alicloud',
  async prepare() {
    await enable(vault, 'alicloud', 'alicloud');
    await vault.root('POST', 'auth/alicloud/role/dev-role', {
      arn: 'acs:ram::5138828231865461:role/dev-role',
      ...token,
    });
  },
  async play() {
    const base64 = (text: string) => Buffer.from(text).toString('base64');
    const query = 'Action=GetCallerIdentity&Format=JSON&RegionId=us-east-1';
    const body = (key: string) => ({
      role: 'dev-role',
      identity_request_url: base64(`https://sts.us-east-1.aliyuncs.com/?${query}&AccessKeyId=${key}`),
      identity_request_headers: base64(JSON.stringify({ 'X-Acs-Action': ['GetCallerIdentity'] })),
    });
    const path = 'auth/alicloud/login';
    await vault.refused('POST', path, { from, body: body('wrong') });
    await loginAndLive(vault, path, body('example'));
  },
});

function jwt({ vault }: Stage, name: string, mount: string, sub: string): Scene {
  const key = makeKey();
  const path = `auth/${mount}/login`;
  return {
    name,
    async prepare() {
      if (name === 'jwt-on-oidc') {
        await vault.root('DELETE', `sys/auth/${mount}`);
        await enable(vault, 'oidc', mount, { jwt_validation_pubkeys: key.pem });
      } else await enable(vault, 'jwt', mount, { jwt_validation_pubkeys: key.pem });
      await vault.root('POST', `auth/${mount}/role/ci-deploy`, {
        role_type: 'jwt',
        user_claim: 'sub',
        bound_audiences: 'vault',
        ...token,
      });
    },
    async play() {
      const body = (aud: string) => ({ role: 'ci-deploy', jwt: signJwt(key, { sub, aud }) });
      await vault.refused('POST', path, { from, body: body('other') });
      await loginAndLive(vault, path, body('vault'));
    },
  };
}

const cert = (stage: Stage): Scene => ({
  name: 'cert',
  async prepare() {
    await enable(stage.vault, 'cert', 'cert');
    await stage.vault.root('POST', 'auth/cert/certs/web-servers', {
      certificate: stage.authority.cert,
      allowed_common_names: '*.example.com',
      ...token,
    });
  },
  async play() {
    const other = issue(stage.folder, makeAuthority(stage.folder, 'other'), 'stranger', 'x.example.com');
    const stranger = stage.over({ cert: other.cert, key: other.key });
    await stranger.refused('POST', 'auth/cert/login', { from, body: {} });
    const { cert, key } = issue(stage.folder, stage.authority, 'client', 'web-1.example.com');
    await loginAndLive(stage.over({ cert, key }), 'auth/cert/login', { name: 'web-servers' });
  },
});
