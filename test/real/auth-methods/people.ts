// Scenes of the auth methods for people: userpass, LDAP, RADIUS, GitHub, OIDC, and certificates of persons.

import { issue } from './certificates.ts';
import { fakeGithub, githubToken } from './fake-github.ts';
import { fakeLdap } from './fake-ldap.ts';
import { clientId, codeFor, fakeOidc } from './fake-oidc.ts';
import { fakeRadius, radiusSecret } from './fake-radius.ts';
import { enable, live, password, policies, type Scene, type Stage } from './stage.ts';

const from = '127.0.0.11';

export const people = (stage: Stage): Scene[] => [
  userpass(stage, 'userpass', 'userpass', 'alice'),
  // A mount two parts deep, and a name with dashes: Vault writes `corp-staff-anna-maria` for both.
  userpass(stage, 'userpass-own-mount', 'corp/staff', 'anna-maria'),
  ldap(stage, 'ldap', 'ldap', 'bob'),
  ldap(stage, 'ldap-own-mount', 'corp-ldap', 'bob-dev'),
  radius(stage),
  okta(stage),
  github(stage),
  oidc(stage, 'oidc', 'oidc', 'query'),
  oidc(stage, 'oidc-form-post', 'sso', 'form_post'),
];

/** A failed login, a login, and the calls of the token, of a method with the user name in the path. */
async function passwordLogin({ vault }: Stage, mount: string, user: string): Promise<void> {
  const path = `auth/${mount}/login/${user}`;
  await vault.refused('POST', path, { from, body: { password: 'wrong' } });
  await live(vault, await vault.login(path, { password }, from), from);
}

function userpass(stage: Stage, name: string, mount: string, user: string): Scene {
  const { vault } = stage;
  return {
    name,
    async prepare() {
      await enable(vault, 'userpass', mount);
      const body = { password, token_policies: policies, token_ttl: '1h' };
      await vault.root('POST', `auth/${mount}/users/${user}`, body);
    },
    async play() {
      await passwordLogin(stage, mount, user);
      // Vault takes the name in any case, and shows it in lower case ever after.
      await vault.login(`auth/${mount}/login/${user.toUpperCase()}`, { password }, from);
    },
  };
}

function ldap(stage: Stage, name: string, mount: string, user: string): Scene {
  return {
    name,
    async prepare() {
      const { url } = stage.keep(await fakeLdap(password));
      await enable(stage.vault, 'ldap', mount, {
        url,
        userdn: 'ou=people,dc=example,dc=com',
        userattr: 'cn',
        token_policies: policies,
        token_ttl: '1h',
      });
    },
    play: () => passwordLogin(stage, mount, user),
  };
}

const radius = (stage: Stage): Scene => ({
  name: 'radius',
  async prepare() {
    const { port } = stage.keep(await fakeRadius(password));
    await enable(stage.vault, 'radius', 'radius', {
      host: '127.0.0.1',
      port,
      secret: radiusSecret,
      unregistered_user_policies: policies,
      token_ttl: '1h',
    });
  },
  play: () => passwordLogin(stage, 'radius', 'carla'),
});

const okta = (stage: Stage): Scene => ({
  name: 'okta',
  async prepare() {
    await enable(stage.vault, 'okta', 'okta', { org_name: 'example', token_ttl: '1h' });
    await stage.vault.root('POST', 'auth/okta/users/oscar@example.com', { policies });
  },
  play: () => passwordLogin(stage, 'okta', 'oscar@example.com'),
});

const github = ({ vault, keep }: Stage): Scene => ({
  name: 'github',
  async prepare() {
    const { url } = keep(await fakeGithub());
    const config = {
      organization: 'example-org',
      organization_id: 1234,
      base_url: `${url}/`,
      token_ttl: '1h',
    };
    await enable(vault, 'github', 'github', config);
    await vault.root('POST', 'auth/github/map/users/gita-dev', { value: policies });
  },
  async play() {
    await vault.refused('POST', 'auth/github/login', { from, body: { token: 'wrong' } });
    await live(vault, await vault.login('auth/github/login', { token: githubToken }, from), from);
  },
});

/** Vault's page for posted codes takes the mount from this address. */
const redirectTo = (mount: string) => `http://localhost:8200/ui/vault/auth/${mount}/oidc/callback`;

/** A person asks for the provider's address, logs in there, and comes back with a code: a read that logs in. */
const oidc = ({ vault, keep }: Stage, name: string, mount: string, mode: string): Scene => ({
  name,
  async prepare() {
    const { url } = keep(await fakeOidc());
    await enable(vault, 'oidc', mount, {
      oidc_discovery_url: url,
      oidc_client_id: clientId,
      oidc_client_secret: 'example-client-secret',
      oidc_response_mode: mode,
      default_role: 'staff',
    });
    await vault.root('POST', `auth/${mount}/role/staff`, {
      role_type: 'oidc',
      user_claim: 'email',
      claim_mappings: { email: 'username' },
      allowed_redirect_uris: redirectTo(mount),
      token_policies: policies,
      token_ttl: '1h',
    });
  },
  async play() {
    const path = `auth/${mount}/oidc/callback`;
    const comeBack = async (user: string) => {
      const body = { role: 'staff', redirect_uri: redirectTo(mount) };
      const answer = await vault.must('POST', `auth/${mount}/oidc/auth_url`, { from, body });
      const authUrl = String(answer.data['auth_url']);
      const state = new URL(authUrl).searchParams.get('state') ?? '';
      const query = { state, code: codeFor(user, authUrl) };
      // The provider posts the code, Vault answers a page that comes back once more.
      if (mode === 'form_post') await vault.post(path, from, new URLSearchParams(query));
      return { from, query: String(new URLSearchParams(query)) };
    };
    await vault.refused('GET', path, await comeBack('nobody'));
    const { auth } = await vault.must('GET', path, await comeBack('olga'));
    await live(vault, auth?.client_token ?? '', from);
  },
});

export const certPerson = (stage: Stage): Scene => ({
  name: 'cert-person',
  async prepare() {
    await stage.vault.root('POST', 'auth/cert/certs/staff', {
      certificate: stage.authority.cert,
      allowed_common_names: '*@example.com',
      display_name: 'staff-card',
      token_policies: policies,
      token_ttl: '1h',
    });
  },
  async play() {
    const { cert, key } = issue(stage.folder, stage.authority, 'person', 'paula@example.com');
    const vault = stage.over({ cert, key });
    await live(vault, await vault.login('auth/cert/login', { name: 'staff' }, from), from);
  },
});
