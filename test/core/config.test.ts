// Configuration: defaults, YAML, variables over it, and a refusal that names what is wrong.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { configVariables, dataFiles, loadConfig } from '../../core/config.ts';
import { SealwatchError } from '../../core/errors.ts';

const folder = mkdtempSync(join(tmpdir(), 'sealwatch-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

const file = join(folder, 'sealwatch.yaml');
const withYaml = (text: string, env: NodeJS.ProcessEnv = {}) => {
  writeFileSync(file, text);
  return loadConfig(env, file);
};

function refusal(load: () => unknown): SealwatchError {
  try {
    load();
  } catch (error) {
    if (error instanceof SealwatchError) return error;
    throw error;
  }
  throw new Error('was not refused');
}

describe('without anything', () => {
  test('the defaults of the design hold', () => {
    const config = loadConfig({ PATH: '/bin', HOME: '/root' });
    expect(config).toMatchObject({
      cluster: 'vault',
      dataDir: resolve('data'),
      partitions: 3,
      api: { host: '127.0.0.1', port: 8320 },
      tcp: { enabled: true, host: '127.0.0.1', port: 8321 },
      unix: {},
      file: {},
      keys: [],
    });
    expect(config.time.pairWaitSeconds).toBeGreaterThan(config.time.allowedLatenessSeconds);
    expect(withYaml('')).toEqual(config);
    expect(withYaml('# nothing\n')).toEqual(config);
    expect(loadConfig({ SEALWATCH_CONFIG: '', SEALWATCH_API_PORT: '' })).toEqual(config);
  });
});

describe('YAML and variables', () => {
  test('a variable lies over YAML, which lies over the defaults', () => {
    const config = withYaml('api: {port: 1000}\ntcp:\n  enabled: false\ncluster: prod\n', {
      SEALWATCH_API_PORT: '2000',
      SEALWATCH_DATA_DIR: '/tmp/x',
      SEALWATCH_UNIX_PATH: '/run/a.sock',
      SEALWATCH_TIME_PAIR_WAIT_SECONDS: '20',
      SEALWATCH_DEBUG: '1',
    });
    expect(config.api).toEqual({ host: '127.0.0.1', port: 2000 });
    expect(config.tcp.enabled).toBe(false);
    expect(config).toMatchObject({ cluster: 'prod', dataDir: '/tmp/x', unix: { path: '/run/a.sock' } });
    expect(config.time.pairWaitSeconds).toBe(20);
  });

  test('SEALWATCH_CONFIG names the file', () => {
    writeFileSync(file, 'cluster: named\n');
    expect(loadConfig({ SEALWATCH_CONFIG: file }).cluster).toBe('named');
  });

  test('a flag by variable is true or false and nothing else', () => {
    expect(loadConfig({ SEALWATCH_TCP_ENABLED: 'false' }).tcp.enabled).toBe(false);
    expect(loadConfig({ SEALWATCH_TCP_ENABLED: 'true' }).tcp.enabled).toBe(true);
    expect(refusal(() => loadConfig({ SEALWATCH_TCP_ENABLED: 'maybe' })).message).toContain('tcp.enabled');
  });

  test('each known variable is taken by its name', () => {
    expect(configVariables().length).toBeGreaterThan(12);
    for (const name of configVariables()) {
      const said = (() => {
        try {
          loadConfig({ [name]: '\u0000bad' });
          return '';
        } catch (error) {
          return (error as Error).message;
        }
      })();
      expect(said).not.toContain('not known');
    }
  });
});

describe('what is refused, with exit code 2 and a name', () => {
  test('of a variable that is not known the nearest is named, and no list of hundred', () => {
    const advice = (name: string) => refusal(() => loadConfig({ [name]: '1' })).advice;
    expect(advice('SEALWATCH_API_PROT')).toMatch(/^Did you mean SEALWATCH_API_PORT\? docs/);
    expect(advice('SEALWATCH_QZXJ')).toBe('docs/operating/configuration.md lists all of them.');
  });

  test.each([
    ['an unknown variable', () => loadConfig({ SEALWATCH_API_PROT: '1' }), 'SEALWATCH_API_PROT'],
    ['an unknown key', () => withYaml('clutser: x\n'), 'clutser'],
    ['an unknown key inside', () => withYaml('api: {prot: 1}\n'), 'prot'],
    ['a port out of range', () => loadConfig({ SEALWATCH_TCP_PORT: '65536' }), 'tcp.port'],
    ['a port that is no number', () => withYaml('api: {port: http}\n'), 'api.port'],
    ['too few partitions', () => withYaml('partitions: 0\n'), 'partitions'],
    [
      'a wait shorter than the lateness',
      () => withYaml('time: {pairWaitSeconds: 3, allowedLatenessSeconds: 3}\n'),
      'pairWaitSeconds',
    ],
    [
      'a webhook without its key',
      () => withYaml('outputs: {webhook: {url: "https://a.example/"}}\n'),
      'secretFile',
    ],
    [
      'a webhook that is no HTTP',
      () => withYaml('outputs: {webhook: {url: "file:///etc/passwd", secretFile: a}}\n'),
      'outputs.webhook.url',
    ],
    ['a key of an unknown role', () => withYaml('keys: [{name: a, role: root, file: b}]\n'), 'keys.0.role'],
    ['a caller of an unknown kind', () => withYaml('callers: [{name: a, kind: root}]\n'), 'callers.0.kind'],
    ['a caller who is nobody', () => withYaml('callers: [{kind: human}]\n'), 'mount, role, name or entity'],
    ['a list', () => withYaml('- a\n'), 'mapping'],
    ['a plain word', () => withYaml('word\n'), 'mapping'],
    ['two documents', () => withYaml('a: 1\n---\nb: 2\n'), file],
    ['a key that comes twice', () => withYaml('cluster: a\ncluster: b\n'), 'line 2'],
    [
      'a bomb of aliases',
      () => withYaml(`a: &a [x,x]\nb: &b [${'*a,'.repeat(30)}]\nc: [${'*b,'.repeat(30)}]\n`),
      file,
    ],
  ])('%s', (_, load, named) => {
    const error = refusal(load);
    expect(error).toMatchObject({ code: 'CONFIG_INVALID', exitCode: 2 });
    expect(error.message).toContain(named);
    expect(error.line).not.toContain('\n');
  });

  test('a YAML error names its line', () => {
    const error = refusal(() => withYaml('cluster: a\napi:\n  port: [1\ntcp: }\n'));
    expect(error.code).toBe('CONFIG_INVALID');
    expect(error.message).toMatch(/not YAML: .*line [345]/);
  });

  test('all wrong keys are named at once', () => {
    const { message } = refusal(() => withYaml('partitions: 99\nlogLevel: loud\n'));
    expect(message).toContain('partitions');
    expect(message).toContain('logLevel');
  });

  test('a file that cannot be read', () => {
    expect(refusal(() => loadConfig({}, join(folder, 'missing.yaml')))).toMatchObject({
      code: 'CONFIG_UNREADABLE',
      exitCode: 2,
    });
    expect(refusal(() => loadConfig({ SEALWATCH_CONFIG: folder })).code).toBe('CONFIG_UNREADABLE');
  });

  test('__proto__ in YAML changes no object', () => {
    refusal(() => withYaml('__proto__: {polluted: 1}\n'));
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

test('the files of the data folder have names of their own', () => {
  const names = Object.values(dataFiles('/d'));
  expect(new Set(names).size).toBe(names.length);
  expect(names.every((name) => name.startsWith('/d/'))).toBe(true);
});
