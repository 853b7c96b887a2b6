// A Kafka of its own that lets nobody in without a login over TLS, and nobody do what its list of rights does not name.

import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { type KafkaSettings, kafkaSettings } from '../../core/config-scale.ts';
import { users } from '../../storage/stream/kafka/rights.ts';
import { freePort } from './servers.ts';

const run = promisify(execFile);
const scripts = resolve('test/real/servers/kafka');
const PASSWORD = 'example-password';

export interface SecureKafka extends AsyncDisposable {
  folder: string;
  /** Without TLS and login: the administrator's listener. */
  admin: KafkaSettings;
  /** For `kafka.brokers`: TLS with SASL, and mutual TLS. */
  sasl: string;
  mutual: string;
  caFile: string;
  passwordFile: string;
  /** Certificate and key of a user, for the mutual listener. */
  clientCert: { certFile: string; keyFile: string };
  /** A file of deploy/kafka, run with the commands of Kafka's distribution. */
  script(path: string, env: Record<string, string>): Promise<void>;
}

/** Each of `users` has a SCRAM login with one password; `sealwatch-index` can log in by certificate, too. */
export async function startSecureKafka(): Promise<SecureKafka> {
  const base = process.env['SERVERS_DIR'] ?? '/var/tmp/sealwatch-servers';
  const folder = join(base, `kafka-secure-${process.pid}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await makeCertificates(folder);
  const ports = await fourPorts();
  const extra = join(folder, 'extra.properties');
  writeFileSync(extra, settings(folder, ports));
  writeFileSync(join(folder, 'password'), `${PASSWORD}\n`);
  const env = {
    ...process.env,
    KAFKA_RUN: join(folder, 'run'),
    KAFKA_DATA: join(folder, 'data'),
    KAFKA_PORT: String(ports[0]),
    KAFKA_HEAP: '256m',
    KAFKA_EXTRA: extra,
    KAFKA_FORMAT: users
      .flatMap((user) => ['SCRAM-SHA-256', 'SCRAM-SHA-512'].map((how) => [how, user]))
      .map(([how, user]) => `--add-scram ${how}=[name=sealwatch-${user},password=${PASSWORD}]`)
      .join(' '),
  };
  await run('bash', [join(scripts, 'start.sh')], { env });
  const brokers = `127.0.0.1:${ports[0]}`;
  return {
    folder,
    admin: kafkaSettings.parse({ brokers }),
    sasl: `localhost:${ports[2]}`,
    mutual: `localhost:${ports[3]}`,
    caFile: join(folder, 'ca.crt'),
    passwordFile: join(folder, 'password'),
    clientCert: { certFile: join(folder, 'client.crt'), keyFile: join(folder, 'client.key') },
    async script(path, more) {
      const lines = join(folder, 'commands');
      const note = join(folder, 'note.sh');
      writeFileSync(lines, '');
      writeFileSync(note, `IFS="\t"; printf '%s\\n' "$*" >> ${lines}\n`);
      const commands = { KAFKA_ACLS: `bash ${note}`, KAFKA_TOPICS: `bash ${note}` };
      await run('sh', [path], { env: { ...process.env, ...commands, BOOTSTRAP: brokers, ...more } });
      const tool = `${scripts}/tool.sh ${scripts}/Each.java org.apache.kafka.tools.${path.includes('acls') ? 'AclCommand' : 'TopicCommand'}`;
      await run('sh', ['-c', `${tool} < ${lines}`]);
    },
    async [Symbol.asyncDispose]() {
      await run('bash', [join(scripts, 'stop.sh')], { env });
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The administrator's, the controller's (start.sh takes the next one), SASL over TLS, mutual TLS. */
async function fourPorts(): Promise<number[]> {
  for (;;) {
    const first = await freePort();
    if (first >= 65_532) continue;
    const rest = [1, 2, 3].map((more) => freePort(first + more));
    if ((await Promise.allSettled(rest)).every(({ status }) => status === 'fulfilled'))
      return [0, 1, 2, 3].map((more) => first + more);
  }
}

/** Over those of conf/server.properties. The administrator's listener is on loopback and needs no login. */
const settings = (folder: string, [admin, controller, sasl, mutual]: number[]) => `
listeners=PLAINTEXT://127.0.0.1:${admin},SASL_SSL://127.0.0.1:${sasl},SSL://127.0.0.1:${mutual},CONTROLLER://127.0.0.1:${controller}
advertised.listeners=PLAINTEXT://127.0.0.1:${admin},SASL_SSL://localhost:${sasl},SSL://localhost:${mutual}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,SSL:SSL,CONTROLLER:PLAINTEXT
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
ssl.keystore.type=PEM
ssl.keystore.location=${folder}/server.pem
ssl.truststore.type=PEM
ssl.truststore.location=${folder}/ca.crt
listener.name.ssl.ssl.client.auth=required
listener.name.ssl.ssl.principal.mapping.rules=RULE:^CN=([^,]+).*$/$1/
sasl.enabled.mechanisms=SCRAM-SHA-512,SCRAM-SHA-256,PLAIN,OAUTHBEARER
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_sealwatch-index="${PASSWORD}";
listener.name.sasl_ssl.oauthbearer.sasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";
`;

/** An authority, a certificate for the broker, one for a client. */
async function makeCertificates(folder: string): Promise<void> {
  const at = (name: string) => join(folder, name);
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const openssl = (...args: string[]) => run('openssl', args);
  await openssl(
    'req',
    '-x509',
    ...key,
    '-days',
    '2',
    '-subj',
    '/CN=example-authority',
    '-keyout',
    at('ca.key'),
    '-out',
    at('ca.crt'),
  );
  writeFileSync(at('names'), 'subjectAltName=DNS:localhost,IP:127.0.0.1');
  for (const [name, subject] of [
    ['server', '/CN=localhost'],
    ['client', '/CN=sealwatch-index'],
  ] as const) {
    await openssl('req', ...key, '-subj', subject, '-keyout', at(`${name}.key`), '-out', at(`${name}.csr`));
    await openssl(
      'x509',
      '-req',
      '-in',
      at(`${name}.csr`),
      '-CA',
      at('ca.crt'),
      '-CAkey',
      at('ca.key'),
      '-CAcreateserial',
      '-days',
      '2',
      '-extfile',
      at('names'),
      '-out',
      at(`${name}.crt`),
    );
  }
  const pem = ['server.key', 'server.crt', 'ca.crt'].map((name) => readFileSync(at(name), 'utf8'));
  writeFileSync(at('server.pem'), pem.join(''));
}
