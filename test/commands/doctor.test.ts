// Doctor: each fault is found, says what to do, and nothing is said of what is well.

import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkSecret, checkTls } from '../../commands/doctor/files.ts';
import type { Finding } from '../../commands/doctor/finding.ts';
import { checkClusters, checkInputs } from '../../commands/doctor/inputs.ts';
import { type Coverage, findingsOfCoverage, findingsOfMetrics } from '../../commands/doctor/running.ts';
import { checkClock, checkVault, findingsOfRights } from '../../commands/doctor/vault.ts';
import { examine, reportOf } from '../../commands/doctor.ts';
import { noteLogin, takeLogins } from '../../commands/doctor-logins.ts';
import { dataFiles, loadConfig } from '../../core/config.ts';
import { labelled, type Metrics } from '../../core/telemetry.ts';
import { probed } from '../../vault/rights.ts';
import { FakeVault } from '../vault/fake-vault.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealwatch-doctor-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string, mode = 0o600): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

/** A configuration without the ready-made TCP listener. */
const configOf = (yaml: string) =>
  loadConfig({
    SEALWATCH_CONFIG: file('config.yml', `dataDir: ${folder}/data\ntcp: {enabled: false}\n${yaml}`),
  });

const brief = (findings: Finding[]) => findings.map(({ state, what }) => `${state} ${what}`);
const faults = (findings: Finding[]) => brief(findings.filter(({ state }) => state !== 'ok'));

describe('inputs', () => {
  it('each cluster needs a file device', () => {
    const device = (name: string, cluster: string, isFile: boolean) => ({
      name,
      cluster,
      isFile,
      origin: 'local' as const,
    });
    const findings = checkClusters([
      device('a', 'one', true),
      device('b', 'one', false),
      device('c', 'two', false),
    ]);
    expect(brief(findings)).toEqual([
      'fail a socket would be the only device of the cluster two: a frozen host stalls Vault, and nothing fills gaps',
    ]);
    expect(findings[0]?.todo).toContain('cluster two');
    expect(brief(checkClusters([]))).toEqual(['fail no audit device is configured']);
  });

  it('a file that cannot be read, a folder for a socket that is not there', async () => {
    const config = configOf(`file: {path: ${folder}/none.log}\nunix: {path: ${folder}/none/audit.sock}`);
    expect(brief(await checkInputs(config, false, Date.now()))).toEqual([
      `fail the audit file ${folder}/none.log of file cannot be read`,
      `fail the socket ${folder}/none/audit.sock cannot be made: ${folder}/none is missing or not writable`,
    ]);
  });

  it('a port that another program has, and one that nothing holds though it should', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    const config = configOf(
      `file: {path: ${file('audit.log', '')}}\nunix: {path: ${folder}/a.sock}\ndevices: [{type: tcp, device: t, port: ${port}}]`,
    );
    expect(faults(await checkInputs(config, false, Date.now()))).toEqual([
      `fail another program listens on 127.0.0.1:${port} of t`,
    ]);
    expect(brief(await checkInputs(config, true, Date.now()))).toContain(`ok t listens on 127.0.0.1:${port}`);
    await new Promise((resolve) => server.close(resolve));
    expect(faults(await checkInputs(config, true, Date.now()))).toEqual([
      `fail nothing listens on ${folder}/a.sock of unix`,
      `fail nothing listens on 127.0.0.1:${port} of t`,
    ]);
    expect(faults(await checkInputs(config, false, Date.now()))).toEqual([]);
  });

  it('plain lines from other hosts, UDP, ranges for everybody, a node that its own range leaves out', async () => {
    const config = configOf(`
file: {path: ${file('audit.log', '')}}
unix: {path: ${folder}/a.sock}
devices:
  - {type: tcp, device: plain, host: 0.0.0.0, port: 0, allowPlain: true, allow: [0.0.0.0/0, 10.0.0.0/8]}
  - {type: udp, device: u, port: 0, allow: [127.0.0.0/8], nodes: {10.9.9.9: node-a, 127.0.0.1: node-b}}`);
    expect(faults(await checkInputs(config, false, Date.now()))).toEqual([
      'warn origin unverified: plain takes lines from other hosts without TLS',
      'warn plain allows every address (0.0.0.0/0)',
      'warn unprovable: any sender can claim any address on u, and UDP loses lines unseen',
      'warn u refuses its own node 10.9.9.9',
    ]);
  });

  it('TCP alone loses a line at each restart', async () => {
    const config = configOf(
      `file: {path: ${file('audit.log', '')}}\ndevices: [{type: tcp, device: t, port: 0}]`,
    );
    expect(faults(await checkInputs(config, false, Date.now()))).toEqual([
      'warn a TCP socket loses a line at each restart',
    ]);
  });
});

describe('files', () => {
  it('a secret that is missing, empty, or open to all', () => {
    expect(checkSecret('the key', join(folder, 'none'))).toMatchObject({ state: 'fail' });
    expect(checkSecret('the key', file('empty', ' \n'))).toMatchObject({ state: 'fail' });
    expect(checkSecret('the key', file('open', 'x', 0o644))).toMatchObject({ state: 'warn' });
    expect(checkSecret('the key', file('good', 'x'))).toMatchObject({ state: 'ok' });
  });

  // A root certificate that Node ships stands for any other: what counts is its end.
  const pem = rootCertificates[0] as string;
  const endMs = Date.parse(new X509Certificate(pem).validTo);
  const day = 86_400_000;

  it.each([
    [400, 'ok'],
    [13, 'warn'],
    [-2, 'fail'],
  ])('a certificate that ends in %i days: %s', (days, state) => {
    const certFile = file('cert.pem', pem);
    const findings = checkTls(
      't',
      { certFile, keyFile: certFile, caFile: certFile },
      endMs - days * day - 1000,
    );
    const ends = findings.filter(({ what }) => /good for|ends in|ended on/.test(what));
    expect(ends.map((finding) => finding.state)).toEqual([state, state]);
  });

  it('a key that belongs to its certificate', () => {
    const pem = (name: string) => readFileSync(`test/fixtures/tls/${name}`, 'utf8');
    const tls = { certFile: file('l.crt', pem('listener.crt')), keyFile: file('l.key', pem('listener.key')) };
    expect(brief(checkTls('t', tls, Date.parse('2030-01-01T00:00:00Z'))).slice(0, 1)).toEqual([
      `ok the key of t ${tls.keyFile}`,
    ]);
  });

  it('a key that is none, or that of another certificate; a certificate that is none', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const keyFile = file('other.key', privateKey.export({ type: 'pkcs8', format: 'pem' }) as string);
    const certFile = file('cert.pem', pem);
    const keyOf = (tls: { certFile: string; keyFile: string }) =>
      faults(checkTls('t', tls, endMs - 400 * day));
    expect(keyOf({ certFile, keyFile })).toEqual([
      `fail the key of t is not that of its certificate: ${keyFile}`,
    ]);
    expect(keyOf({ certFile, keyFile: certFile })[0]).toContain('fail the key of t cannot be used');
    expect(keyOf({ certFile: join(folder, 'none'), keyFile })[0]).toContain('(ENOENT)');
    expect(keyOf({ certFile: keyFile, keyFile })[0]).toContain('fail the certificate of t cannot be used');
  });
});

describe('the Vault that is asked', () => {
  /** What `sys/capabilities-self` answers to a token with the whole policy. */
  const allowed = Object.fromEntries(
    probed.map(({ path, operation }) => [path.replaceAll('+', 'sealwatch-example'), [operation]]),
  );

  it('is missed when none is', async () => {
    expect(faults(await checkVault(configOf(''), false))).toEqual([
      'warn no Vault is asked, so a blind device looks like a quiet one, and lifetimes of leases stay unknown',
    ]);
  });

  const withToken = (address: string, tokenFile: string) =>
    configOf(`vault: {address: '${address}', tokenFile: ${tokenFile}}`);

  it('answers, refuses, is gone; its clock is wrong', async () => {
    const tokenFile = file('token', 'example-token');
    let date = new Date();
    let status = 200;
    await using vault = await FakeVault.start((_, response) => {
      response.setHeader('date', date.toUTCString());
      response.statusCode = status;
      response.end(JSON.stringify({ request_id: 'r1', data: allowed }));
    });
    const config = withToken(vault.address, tokenFile);
    expect(faults(await checkVault(config, false))).toEqual([]);
    date = new Date(Date.now() + 3_600_000);
    const [clock] = (await checkVault(config, false)).filter(({ state }) => state !== 'ok');
    expect(clock?.what).toMatch(/^Vault's clock is 3[56]\d\d s ahead of this host's$/);
    status = 403;
    expect(faults(await checkVault(config, false))[0]).toContain('status_403');
    const gone = withToken('http://127.0.0.1:1', tokenFile);
    expect(faults(await checkVault(gone, false))[0]).toContain('ECONNREFUSED');
  });

  it('a login: rights, the note for the next start, and the token given back', async () => {
    await using vault = await FakeVault.start((request, response) => {
      const given = { client_token: 't', lease_duration: 60, renewable: true };
      const isLogin = request.url === '/v1/auth/approle/login';
      response.end(JSON.stringify({ request_id: 'r1', ...(isLogin ? { auth: given } : { data: allowed }) }));
    });
    const roleIdFile = file('role-id', 'r');
    const config = configOf(
      `vault: {address: '${vault.address}', login: {method: approle, roleIdFile: ${roleIdFile}}}`,
    );
    mkdirSync(config.dataDir, { recursive: true });
    expect(faults(await checkVault(config, false))).toEqual([]);
    expect(vault.asked.at(-1)?.path).toBe('/v1/auth/token/revoke-self');
    expect(takeLogins(config)).toMatchObject([{ purpose: 'login', response: { request_id: 'r1' } }]);
    expect(takeLogins(config)).toEqual([]);
    // A second token of its identity would be a thief's.
    const before = vault.asked.length;
    expect(faults(await checkVault(config, true))).toEqual([]);
    expect(vault.asked).toHaveLength(before);
    // Of stages apart nobody here knows whether they run.
    const apart = await checkVault({ ...config, stream: 'kafka' }, false);
    expect(apart.at(-1)).toMatchObject({ state: 'warn', what: expect.stringContaining('was not tried') });
    expect(vault.asked).toHaveLength(before);
  });

  it('a note of logins that somebody has spoilt holds up no start', () => {
    const config = configOf('');
    mkdirSync(config.dataDir, { recursive: true });
    writeFileSync(dataFiles(config.dataDir).doctorLogins, 'x\n{}\n{"purpose":"login"}\n');
    expect(takeLogins(config)).toEqual([]);
  });

  it('rights: what is missing, what is too much', () => {
    const right = (path: string, value: number) => [labelled('sealwatch_vault_allowed', { path }), value];
    const metrics = Object.fromEntries([
      right('sys/mounts', 1),
      right('sys/leases/lookup', 0),
      right('sys/policies/acl/+', 0),
      ['sealwatch_vault_token_is_root', 1],
    ]) as Metrics;
    expect(faults(findingsOfRights(metrics))).toEqual([
      "fail sealwatch's token may do anything",
      'warn the token may not ask sys/leases/lookup, so lifetimes and names stay unknown',
      'warn the token may not read policies, so who could read a secret is answered from the audit log alone',
    ]);
  });

  it('the login of a running sealwatch, by its metrics', () => {
    const of = (...lines: string[]) => brief(findingsOfMetrics(lines.join('\n')));
    expect(of('sealwatch_vault_logins_total 1', 'sealwatch_vault_token_seconds_left 90.4')).toEqual([
      'ok sealwatch is logged in to Vault, for 90 s more',
    ]);
    expect(
      of(
        'sealwatch_vault_logins_total 1',
        'sealwatch_vault_token_seconds_left 0',
        'sealwatch_vault_allowed{path="sys/mounts"} 0',
        'sealwatch_vault_secrets_missing 1',
      ),
    ).toEqual([
      'fail sealwatch has no token of Vault',
      'warn the token may not ask sys/mounts, so lifetimes and names stay unknown',
      'fail 1 secret(s) of sealwatch in Vault could not be read yet',
    ]);
  });

  it.each([
    [0, 'ok'],
    [5, 'ok'],
    [-6, 'warn'],
    [9, 'warn'],
  ])('a clock that is %i s ahead: %s', (seconds, state) => expect(checkClock(seconds).state).toBe(state));
});

const coverage = (parts: { totals?: object; devices?: object[]; nodes?: object[] }): Coverage =>
  ({
    devices: [],
    nodes: [],
    ...parts,
    totals: {
      received: 9,
      dropped: 0,
      gaps: 0,
      unconfirmed: 0,
      refused: 0,
      log_raw: 0,
      token_in_plain: 0,
      rejected: 0,
      rejected_by_reason: {},
      ...parts.totals,
    },
  }) as Coverage;

describe('the record of a running sealwatch', () => {
  it('that is well', () => expect(faults(findingsOfCoverage(coverage({})))).toEqual([]));

  it.each<[string, Parameters<typeof coverage>[0], string]>([
    ['no line', { totals: { received: 0 } }, 'warn no line has come in the last day'],
    [
      'a silent device',
      { devices: [{ device: 'tcp', silent: true }] },
      'warn configured, but silent for a day: tcp',
    ],
    [
      'a node',
      { nodes: [{ node: 'n:1', collected: false }] },
      'warn nodes that forward calls and are not collected: n:1',
    ],
    ['dropped', { totals: { dropped: 3 } }, 'warn 3 lines dropped in the last day'],
    ['unconfirmed', { totals: { unconfirmed: 2 } }, 'warn 2 lines answered before they were durable'],
    ['refused', { totals: { refused: 2 } }, 'warn 2 senders refused'],
    [
      'JSONx',
      { totals: { rejected: 2, rejected_by_reason: { jsonx: 2 } } },
      'warn 2 lines were JSONx and were refused',
    ],
    ['rejects', { totals: { rejected: 2 } }, 'warn 2 lines could not be read'],
    ['log_raw', { totals: { log_raw: 1 } }, 'fail 1 lines came from a device with log_raw=true'],
    ['tokens', { totals: { token_in_plain: 1 } }, 'warn 1 lines held a token in plain'],
  ])('%s', (_, parts, finding) => expect(faults(findingsOfCoverage(coverage(parts)))).toEqual([finding]));

  it('which device is blind', () => {
    const text = [
      '# TYPE sealwatch_device_heartbeat_seen gauge',
      'sealwatch_device_heartbeat_seen{device="file"} 1',
      'sealwatch_device_heartbeat_seen{device="unix"} 0',
      'sealwatch_heartbeats_sent_total 4',
      'sealwatch_heartbeat_answer_age_seconds 12.3',
    ].join('\n');
    expect(brief(findingsOfMetrics(text))).toEqual([
      'ok Vault answered the last look-up 12 s ago',
      'ok the look-up came back on file',
      'fail unix is blind: the last look-up did not come back on it',
    ]);
    expect(faults(findingsOfMetrics('sealwatch_heartbeats_sent_total 4'))).toEqual([
      'warn Vault has not answered a look-up since the start',
    ]);
    expect(findingsOfMetrics('sealwatch_heartbeats_sent_total 0')).toEqual([]);
    expect(brief(findingsOfMetrics('sealwatch_device_lost_total{device="tcp",reason="quota"} 7'))).toEqual([
      'warn tcp used up its part of the spool: 7 lines dropped since the start',
    ]);
  });
});

it('all of it, without anything running', async () => {
  const config = configOf(
    `file: {path: ${file('audit.log', '')}}\nunix: {path: ${folder}/a.sock}\napi: {port: 1}`,
  );
  const report = reportOf(await examine(config));
  expect(report).toContain('ok   sealwatch does not run; its data folder is free');
  expect(report).toMatch(/^warn no Vault is asked.*\n {5}-> Set SEALWATCH_VAULT_ADDRESS/m);
  expect(report).not.toContain('fail');
});

describe('the note of a login', () => {
  const note = (name: string) => {
    const dataDir = join(folder, name);
    mkdirSync(dataDir);
    return { config: { ...configOf(''), dataDir }, path: dataFiles(dataDir).doctorLogins };
  };

  it('belongs to whom the data folder belongs to, also when root made it', () => {
    const { config, path } = note('owned');
    if (process.getuid?.() === 0) chownSync(config.dataDir, 65_534, 65_534);
    noteLogin(config);
    expect(statSync(path).uid).toBe(statSync(config.dataDir).uid);
  });

  it('is not written through a link', () => {
    const { config, path } = note('linked');
    const other = file('other', 'x');
    symlinkSync(other, path);
    expect(() => noteLogin(config)).toThrow(/ELOOP/);
    expect(readFileSync(other, 'utf8')).toBe('x');
  });
});
