// deploy/compose.yaml and the Dockerfile name only what there is; test/real/deploy.test.ts gives the file to compose's own loader.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadConfig } from '../../core/config.ts';
import { stageNames } from '../../core/records.ts';

interface Service {
  image: string;
  command?: string[];
  environment?: Record<string, string | number>;
  ports?: string[];
  volumes?: string[];
  secrets?: string[];
  read_only?: boolean;
  user?: string;
  cap_drop?: string[];
  profiles?: string[];
  healthcheck?: object;
  build?: { dockerfile: string };
}
const compose = parse(readFileSync('deploy/compose.yaml', 'utf8'), { merge: true }) as {
  services: Record<string, Service>;
  volumes: Record<string, unknown>;
  secrets: Record<string, { file: string }>;
};
const services = Object.entries(compose.services);
const ours = services.filter(([, { image }]) => image.startsWith('sealwatch:'));

describe('the compose file', () => {
  it.each(ours)('%s is given settings that the configuration takes', (_, { environment = {} }) => {
    const env = Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, String(value)]));
    expect(Object.keys(env).length).toBeGreaterThan(3);
    expect(() => loadConfig(env)).not.toThrow();
  });

  it('has every stage as a service, and one box', () => {
    const commands = ours.map(([, { command = [] }]) => command[0]);
    expect(commands.sort()).toEqual([...stageNames, 'doctor', 'run'].sort());
    for (const [, { profiles }] of services) expect(profiles?.length).toBeGreaterThan(0);
  });

  it.each(services)(
    '%s mounts what there is, and every secret has a file',
    (_, { volumes = [], secrets = [] }) => {
      for (const volume of volumes) {
        const [from = ''] = volume.split(':');
        if (from.startsWith('.')) expect(existsSync(join('deploy', from)), from).toBe(true);
        else expect(Object.keys(compose.volumes)).toContain(from);
      }
      const made = readFileSync('deploy/secrets.sh', 'utf8');
      for (const secret of secrets) {
        expect(compose.secrets[secret]?.file).toBe(`secrets/${secret}`);
        expect(made).toContain(` ${secret}`);
      }
    },
  );

  it.each(services)('%s is pinned, without capabilities, open on loopback alone', (_, service) => {
    expect(service.image).toMatch(/:\d+\.\d+\.\d+$/);
    expect(service.cap_drop).toEqual(['ALL']);
    for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:/);
  });

  it.each(ours)('%s runs as a user of its own on a read-only root', (_, service) => {
    expect(service.read_only).toBe(true);
    expect(service.user).toBe('10001:1000');
    expect(existsSync(service.build?.dockerfile ?? '')).toBe(true);
  });
});

describe('the Dockerfile', () => {
  const lines = readFileSync('deploy/Dockerfile', 'utf8');

  it('copies files that there are, from the project or from a stage before', () => {
    const copied = [...lines.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, paths = '']) =>
      paths.split(' '),
    );
    expect(copied.length).toBeGreaterThan(2);
    for (const path of copied) expect(existsSync(path), path).toBe(true);
  });

  it('ends as a user that is not root, with a health check and pinned images', () => {
    expect([...lines.matchAll(/^USER (.+)$/gm)].at(-1)?.[1]).toBe('10001:10001');
    expect(lines).toMatch(/^HEALTHCHECK /m);
    for (const [, image] of lines.matchAll(/^FROM (\S+)/gm)) expect(image).toMatch(/^node:\d+\.\d+\.\d+-/);
    const settings = [...lines.matchAll(/\b(SEALWATCH_[A-Z_]+)=(\S+)/g)].map(([, name, value]) => [
      name,
      value,
    ]);
    expect(settings.length).toBe(2);
    expect(() => loadConfig(Object.fromEntries(settings))).not.toThrow();
  });
});
