// The built command line as a user meets it: exit codes, one-line errors, help that teaches.

import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const sample = 'deploy/sample/audit.jsonl';
const stages = ['collect', 'normalise', 'ledger', 'detect', 'index', 'deliver', 'serve'] as const;
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealwatch-cli-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

function sealwatch(args: string[], settings: Record<string, string> = {}, input = ''): Promise<Ended> {
  const env = { ...process.env, SEALWATCH_DATA_DIR: join(folder, 'data'), ...settings };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, ['dist/main.js', ...args], { env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : (error.code as number), stdout, stderr });
    });
    child.stdin?.end(input);
  });
}

const oneLine = (text: string) => expect(text.trimEnd().split('\n')).toHaveLength(1);

describe('wrong usage is exit code 2', () => {
  it.each<[string, string[], string]>([
    ['an unknown option', ['replay', sample, '--out', 'x', '--nope'], "unknown option '--nope'"],
    ['an unknown command', ['watch'], "unknown command 'watch'"],
    ['replay without --out', ['replay', sample], '--out <dir>'],
    ['replay without a file', ['replay', '--out', 'x'], "missing required argument 'files'"],
  ])('%s', async (_, args, says) => {
    const { code, stderr, stdout } = await sealwatch(args);
    expect(code).toBe(2);
    expect(stderr).toContain(says);
    expect(stdout).toBe('');
  });

  it.each([...stages])('%s alone without Kafka: it says what to set', async (stage) => {
    const { code, stderr, stdout } = await sealwatch([stage]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^USAGE: /);
    for (const named of [
      `sealwatch ${stage}`,
      'SEALWATCH_STREAM',
      'SEALWATCH_KAFKA_BROKERS',
      'sealwatch run',
    ])
      expect(stderr).toContain(named);
    oneLine(stderr);
    expect(stdout).toBe('');
    // Refused before anything is made.
    expect(existsSync(join(folder, 'data'))).toBe(false);
  });

  it.each<[string, Record<string, string>, string]>([
    ['an unknown variable', { SEALWATCH_PORT: '1' }, 'SEALWATCH_PORT'],
    ['a wrong value', { SEALWATCH_PARTITIONS: 'many' }, 'partitions'],
    ['a config file that is not there', { SEALWATCH_CONFIG: '/nowhere.yml' }, 'CONFIG_UNREADABLE'],
  ])('%s', async (_, settings, says) => {
    const { code, stderr } = await sealwatch(['replay', sample, '--out', join(folder, 'x')], settings);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^CONFIG_/);
    expect(stderr).toContain(says);
    oneLine(stderr);
  });
});

describe('input that cannot be read is INPUT_UNREADABLE, exit code 2', () => {
  const whole = gzipSync(readFileSync(sample));
  const inputs: [string, string, Buffer | undefined][] = [
    ['a file that is not there', 'missing.jsonl', undefined],
    ['a packed file that is not there', 'missing.jsonl.gz', undefined],
    ['half a packed file', 'half.jsonl.gz', whole.subarray(0, whole.length / 2)],
    [
      'a packed file with a hole',
      'hole.jsonl.gz',
      Buffer.concat([whole.subarray(0, 9000), Buffer.alloc(900), whole.subarray(9900)]),
    ],
    ['a file that is not packed but says so', 'plain.jsonl.gz', readFileSync(sample)],
  ];

  it.each(inputs)('%s', async (_, name, bytes) => {
    const path = join(folder, name);
    if (bytes !== undefined) writeFileSync(path, bytes);
    const { code, stderr, stdout } = await sealwatch(['replay', path, '--out', join(folder, 'unread')]);
    expect(stderr).toMatch(/^INPUT_UNREADABLE: cannot read /);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    oneLine(stderr);
  });

  it('a folder', async () => {
    const { code, stderr } = await sealwatch(['replay', folder, '--out', join(folder, 'unread')]);
    expect(stderr).toMatch(/^INPUT_UNREADABLE: /);
    expect(code).toBe(2);
  });

  it('of run --replay as well', async () => {
    const { code, stderr } = await sealwatch(['run', '--replay', join(folder, 'missing.jsonl')]);
    expect(stderr).toMatch(/^INPUT_UNREADABLE: /);
    expect(code).toBe(2);
    oneLine(stderr);
  });
});

describe('replay', () => {
  it('says what it made as one line of JSON, and writes five files for the owner only', async () => {
    const out = join(folder, 'out');
    const { code, stdout, stderr } = await sealwatch(['replay', sample, '--out', out]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toEqual(JSON.parse(readFileSync(join(out, 'summary.json'), 'utf8')));
    expect(readdirSync(out).sort()).toEqual([
      'alerts.jsonl',
      'events.jsonl',
      'leases.jsonl',
      'rejects.jsonl',
      'summary.json',
    ]);
  });

  it('reads standard input', async () => {
    const out = join(folder, 'stdin');
    const { code, stdout } = await sealwatch(['replay', '-', '--out', out], {}, readFileSync(sample, 'utf8'));
    expect(code).toBe(0);
    expect((JSON.parse(stdout) as { devices: object }).devices).toHaveProperty('stdin');
  });

  it('a folder that cannot be written is exit code 1', async () => {
    const { code, stderr } = await sealwatch(['replay', sample, '--out', join(process.cwd(), sample, 'x')]);
    expect(stderr).toMatch(/^OUTPUT_UNWRITABLE: /);
    expect(code).toBe(1);
    oneLine(stderr);
  });
});

describe('help', () => {
  it.each<[string[], string[]]>([
    [
      ['--help'],
      ['Examples:', 'sealwatch run', 'sealwatch replay', 'Exit codes: 0 done, 1 failed, 2 wrong usage'],
    ],
    [
      ['replay', '--help'],
      ['--out <dir>', 'events.jsonl', 'each is a device of its own', 'canonical JSON'],
    ],
    [
      ['run', '--help'],
      ['SEALWATCH_TCP_PORT', 'SEALWATCH_FILE_PATH', 'admin-key'],
    ],
    [
      ['rules', '--help'],
      ['list', 'test'],
    ],
    [['doctor', '--help'], ['check']],
    [
      ['collect', '--help'],
      ['any number may run', 'spool', '--drain', 'vault.audit.raw', 'quotaMiB', 'SEALWATCH_STAGE_PORT'],
    ],
    [
      ['ledger', '--help'],
      ['stands by', 'ledger.db', 'vault.address'],
    ],
    [
      ['index', '--help'],
      ['evidence: embedded exactly one', 'doctor --fix'],
    ],
    [
      ['deliver', '--help'],
      ['own partitions', 'outputs.file.path'],
    ],
    [
      ['serve', '--help'],
      ['SEALWATCH_API_PORT', 'vault.audit.changes'],
    ],
    [
      ['detect', '--help'],
      ['rules.lists', 'vault.audit.groups'],
    ],
    [
      ['normalise', '--help'],
      ['Keeps nothing on disk', 'SEALWATCH_DATA_DIR'],
    ],
  ])('%j exits 0 and teaches', async (args, words) => {
    const { code, stdout, stderr } = await sealwatch(args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const word of words) expect(stdout).toContain(word);
  });

  it('--version is the version of the package', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(await sealwatch(['--version'])).toMatchObject({ code: 0, stdout: `${version}\n` });
  });

  it('a stack trace comes with --debug alone', async () => {
    const args = ['replay', join(folder, 'missing.jsonl'), '--out', join(folder, 'unread')];
    expect((await sealwatch(args)).stderr).not.toContain('    at ');
    expect((await sealwatch(['--debug', ...args])).stderr).toContain('    at ');
  });

  it('whoever reads only the begin ends it in silence', async () => {
    const child = execFile(process.execPath, ['dist/main.js', 'rules', 'list', '--json']);
    let said = '';
    child.stderr?.on('data', (text: string) => {
      said += text;
    });
    child.stdout?.destroy();
    const [code] = await once(child, 'exit');
    expect([code, said]).toEqual([0, '']);
  });
});
