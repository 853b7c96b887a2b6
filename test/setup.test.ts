// commands/setup.mjs in a folder of its own, with a make-believe npm and compiler; and the sums of .ci/summary.mjs.

import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

/** "Installs" a compiler that "builds" a program. Both note that they ran; the files `hold`, `break-*` steer them. */
const npm = `
const fs = require('node:fs');
fs.appendFileSync('log', 'npm ' + process.argv.slice(2).join(' ') + '\\n');
if (fs.existsSync('break-npm')) { console.error('npm error network request failed'); process.exit(1); }
fs.rmSync('node_modules', { recursive: true, force: true });
fs.mkdirSync('node_modules/typescript/bin', { recursive: true });
while (fs.existsSync('hold')) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
fs.copyFileSync('compiler.js', 'node_modules/typescript/bin/tsc');`;
const compiler = `
const fs = require('node:fs');
fs.appendFileSync('log', 'tsc ' + process.argv.slice(2).join(' ') + '\\n');
if (fs.existsSync('break-tsc')) { console.log('main.ts(1,1): error TS1: no'); process.exit(2); }
fs.mkdirSync('dist', { recursive: true });
fs.copyFileSync('main.ts', 'dist/main.js');`;
const program = `
console.log('args ' + process.argv.slice(2).join(' '));
if (process.argv.includes('--wait')) { process.on('SIGTERM', () => process.exit(7)); setInterval(() => {}, 1000); }`;

let folder: string;
const file = (...path: string[]) => join(folder, ...path);
const log = () => (existsSync(file('log')) ? readFileSync(file('log'), 'utf8').trim().split('\n') : []);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealwatch-setup-'));
  for (const name of ['setup.mjs', 'setup-lock.mjs', 'setup-process.mjs'])
    cpSync(join('commands', name), file('commands', name));
  mkdirSync(file('detectors/rules'), { recursive: true });
  const files = { 'npm.js': npm, 'compiler.js': compiler, 'main.ts': program, 'package-lock.json': '{}' };
  for (const [name, text] of Object.entries(files)) writeFileSync(file(name), text);
  writeFileSync(file('detectors/rules/one.yml'), 'title: one');
  writeFileSync(file('detectors/rules/rules.ts'), '');
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Run {
  child: ReturnType<typeof spawn>;
  output(): string;
  code: Promise<number | null>;
}

function run(args: string[], options: string[] = []): Run {
  const env = { ...process.env, npm_execpath: file('npm.js') };
  const child = spawn(process.execPath, [...options, file('commands/setup.mjs'), ...args], {
    env,
    cwd: tmpdir(),
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk));
  return { child, output: () => output, code: new Promise((done) => child.on('close', done)) };
}

async function until(what: () => boolean): Promise<void> {
  while (!what()) await sleep(20);
}

describe('npm start', () => {
  it('installs and builds once, then neither', async () => {
    const first = run(['start', '--replay', 'x.jsonl']);
    expect(await first.code).toBe(0);
    expect(first.output()).toContain('args run --replay x.jsonl');
    expect(log()).toEqual([
      'npm ci --include=dev --ignore-scripts --no-audit --no-fund',
      'tsc -p tsconfig.build.json',
    ]);
    const second = run(['start']);
    expect(await second.code).toBe(0);
    expect(log()).toHaveLength(2);
  });

  it('speaks before the install ends', async () => {
    writeFileSync(file('hold'), '');
    const start = run(['start']);
    await until(() => start.output().includes('installing packages'));
    expect(start.output()).not.toContain('args');
    rmSync(file('hold'));
    expect(await start.code).toBe(0);
  });

  it('installs again when the lock file has changed, and builds again when a source has', async () => {
    await run(['build']).code;
    writeFileSync(file('package-lock.json'), '{"a":1}');
    await run(['build']).code;
    writeFileSync(file('main.ts'), `${program}\n`);
    await run(['build']).code;
    expect(log().map((line) => line.slice(0, 3))).toEqual(['npm', 'tsc', 'npm', 'tsc', 'tsc']);
  });

  it('copies rules and the web page, but no TypeScript', async () => {
    await run(['build']).code;
    expect(existsSync(file('dist/detectors/rules/one.yml'))).toBe(true);
    expect(existsSync(file('dist/detectors/rules/rules.ts'))).toBe(false);
  });

  it('repairs an install that was killed half-way', async () => {
    writeFileSync(file('hold'), '');
    const killed = run(['start']);
    await until(() => existsSync(file('node_modules')));
    killed.child.kill('SIGKILL');
    await killed.code.catch(() => undefined);
    rmSync(file('hold'));
    const next = run(['start']);
    expect(await next.code).toBe(0);
    expect(next.output()).toContain('args run');
  });

  it('says in one line that the network is missing', async () => {
    writeFileSync(file('break-npm'), '');
    const start = run(['start']);
    expect(await start.code).toBe(1);
    expect(start.output().trim().split('\n').at(-1)).toMatch(
      /^sealwatch: npm ci .* the package registry did not/,
    );
    rmSync(file('break-npm'));
    expect(await run(['start']).code).toBe(0);
  });

  it('shows what the compiler said, and builds again the next time', async () => {
    writeFileSync(file('break-tsc'), '');
    const start = run(['start']);
    expect(await start.code).toBe(1);
    expect(start.output()).toContain('error TS1: no');
    rmSync(file('break-tsc'));
    expect(await run(['start']).code).toBe(0);
  });

  it('two at once install once', async () => {
    writeFileSync(file('hold'), '');
    const both = [run(['start']), run(['start'])];
    await until(() => both.some((one) => one.output().includes('waiting for another')));
    rmSync(file('hold'));
    expect(await Promise.all(both.map((one) => one.code))).toEqual([0, 0]);
    expect(log()).toHaveLength(2);
  });

  it('takes over the lock of a process that is gone', async () => {
    mkdirSync(file('.setup-lock'));
    const gone = spawn(process.execPath, ['-e', '']);
    await new Promise((done) => gone.on('exit', done));
    writeFileSync(file('.setup-lock/pid'), String(gone.pid));
    expect(await run(['start']).code).toBe(0);
    expect(existsSync(file('.setup-lock'))).toBe(false);
  });

  it('hands on SIGTERM, and the exit code back', async () => {
    const start = run(['start', '--wait']);
    await until(() => start.output().includes('--wait'));
    start.child.kill('SIGTERM');
    expect(await start.code).toBe(7);
  });

  it('refuses an old Node in one line', async () => {
    const old = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '18.20.0' } })`;
    const start = run(['start'], ['--import', `data:text/javascript,${encodeURIComponent(old)}`]);
    expect(await start.code).toBe(1);
    expect(start.output().trim()).toMatch(/^sealwatch: Node 18\.20\.0 is too old: .*20\.19/);
    expect(log()).toEqual([]);
  });

  it('tells how it is used', async () => {
    const start = run(['strat']);
    expect(await start.code).toBe(1);
    expect(start.output()).toContain('usage: node commands/setup.mjs start|build|test');
  });
});

describe('.ci/summary.mjs', () => {
  const report = (...statuses: string[]) => {
    const assertionResults = statuses.map((status) => ({ status, fullName: 'a test' }));
    const failed = statuses.length === 0 || statuses.includes('failed');
    return JSON.stringify({
      testResults: [{ name: 'a.test.ts', status: failed ? 'failed' : 'passed', assertionResults }],
    });
  };

  async function summary(reports: string[], steps: string[] = []) {
    const paths = reports.map((_, i) => file(`${i}.json`));
    reports.forEach((text, i) => {
      if (text !== '') writeFileSync(file(`${i}.json`), text);
    });
    const child = spawn(process.execPath, [resolve('.ci/summary.mjs'), ...paths, '--', ...steps]);
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk));
    const code = await new Promise<number | null>((done) => child.on('close', done));
    const lines = output.trim().split('\n');
    return { faults: lines.slice(0, -1), last: lines.at(-1), code };
  }

  it.each([
    ['all passed', [report('passed', 'passed'), report('passed')], [], '3 passed, 0 failed', 0],
    ['one failed', [report('passed', 'failed')], ['test'], '1 passed, 1 failed', 1],
    ['a skipped test', [report('passed', 'pending')], [], '1 passed, 1 failed', 1],
    ['a test to do', [report('passed', 'todo')], [], '1 passed, 1 failed', 1],
    ['a file that did not load', [report(), report('passed')], ['test'], '1 passed, 1 failed', 1],
    ['a step that is no test', [report('passed')], ['knip', 'typecheck'], '1 passed, 2 failed', 1],
    ['a runner that ended badly by itself', [report('passed')], ['test'], '1 passed, 1 failed', 1],
    ['an empty report', ['{"testResults":[]}'], [], '0 passed, 1 failed', 1],
    ['a broken report', ['{'], [], '0 passed, 1 failed', 1],
    ['no report', [''], [], '0 passed, 1 failed', 1],
  ] as const)('%s', async (_, reports, steps, line, code) => {
    expect(await summary([...reports], [...steps])).toMatchObject({ last: line, code });
  });

  it('says why a test failed, or why none of a file ran', async () => {
    const failed = { status: 'failed', fullName: 'a', failureMessages: ['Error: not true\n  at a.ts'] };
    const skipped = { status: 'skipped', fullName: 'b', failureMessages: [] };
    const testResults = [
      { name: 'a.test.ts', status: 'failed', assertionResults: [failed] },
      { name: 'b.test.ts', status: 'failed', message: 'no server\n', assertionResults: [skipped] },
    ];
    const { faults } = await summary([JSON.stringify({ testResults })], ['test']);
    expect(faults).toEqual([
      'FAILED a.test.ts: a (failed): Error: not true',
      'FAILED b.test.ts: b (skipped): no server',
    ]);
  });
});
