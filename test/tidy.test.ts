// The project keeps its own shape: imports, purity, sizes, words, dependencies, and docs that name everything.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { configVariables } from '../core/config.ts';
import { errorCodes } from '../core/errors.ts';
import { faultsOf, rules, stageOf, stages } from './tidy/rules.ts';
import { functionsOf, importsOf, importTarget, readSources, rootEntries, source } from './tidy/source.ts';

const sources = readSources(rootEntries());
const read = (path: string) => readFileSync(path, 'utf8');

describe('the source files', () => {
  it('keep every rule', () => {
    expect(sources.flatMap(faultsOf)).toEqual([]);
  });

  it('were really looked at', () => {
    const stagesSeen = new Set(sources.map((file) => stageOf(file.path)));
    expect(sources.length).toBeGreaterThan(60);
    // The ledger comes later; the others must be there.
    const expected = stages.filter((stage) => !['ingest/ledger', 'dashboards'].includes(stage));
    expect(expected.filter((stage) => !stagesSeen.has(stage))).toEqual([]);
    const intoCore = sources.flatMap((file) =>
      importsOf(file).filter((specifier) => importTarget(file.path, specifier)?.startsWith('core/')),
    );
    expect(intoCore.length).toBeGreaterThan(50);
    expect(sources.flatMap(functionsOf).length).toBeGreaterThan(200);
  });
});

describe('each rule finds what breaks it', () => {
  const ok = '// Says what it is for.\n';
  const long = (lines: number) => `  a();\n`.repeat(lines);
  const broken: [rule: string, path: string, text: string][] = [
    ['a stage imports itself', 'api/a.ts', `${ok}import { b } from '../storage/b.ts';\n`],
    ['a stage imports itself', 'core/a.ts', `${ok}export { b } from '../api/b.ts';\n`],
    ['a stage imports itself', 'ingest/collector/a.ts', `${ok}import '../normalise/b.ts';\n`],
    ['a stage imports itself', 'api/a.ts', `${ok}const b = await import('../outputs/b.ts');\n`],
    ['a stage imports itself', 'api/a.ts', `${ok}new Worker(new URL('../main.ts', import.meta.url));\n`],
    ['imported in one file', 'storage/stream/kafka/a.ts', `${ok}import { Kafka } from 'kafkajs';\n`],
    ['imported in one file', 'api/a.ts', `${ok}import Cluster from 'kafkajs/src/cluster/index.js';\n`],
    ['every source file lies', 'ingest/a.ts', ok],
    ['every source file lies', 'tools/a.ts', ok],
    ['pure', 'detectors/engine/a.ts', `${ok}import { existsSync, readFileSync } from 'node:fs';\n`],
    ['pure', 'ingest/normalise/a.ts', `${ok}const now = new Date();\n`],
    ['pure', 'ingest/normalise/a.ts', `${ok}const now = Date.now();\n`],
    ['pure', 'ingest/ledger/a.ts', `${ok}const x = Math.random();\n`],
    ['pure', 'detectors/behaviours/a.ts', `${ok}setTimeout(f, 1);\n`],
    ['pure', 'detectors/behaviours/a.ts', `${ok}const x = process.env['A'];\n`],
    ['files are short', 'core/a.ts', ok + long(400)],
    ['files are short', 'test/a.ts', ok + long(600)],
    ['functions fit', 'core/a.ts', `${ok}export function f(): void {\n${long(70)}}\n`],
    ['functions fit', 'core/a.ts', `${ok}export const f = () => {\n${long(70)}};\n`],
    ['functions fit', 'core/a.ts', `${ok}class A {\n  async f(\n    a: B,\n  ): C {\n${long(70)}  }\n}\n`],
    ['the first line', 'core/a.ts', `import 'node:fs';\n`],
    ['no default exports', 'core/a.ts', `${ok}export default 1;\n`],
    ['no any', 'core/a.ts', `${ok}const a: any = 1;\n`],
    ['no any', 'core/a.ts', `${ok}const a = b as any;\n`],
    ['no console.log', 'core/a.ts', `${ok}console.log(1);\n`],
    ['no test is left out', 'test/a.test.ts', `${ok}it.${'skip'}('a', f);\n`],
    ['no reminders', 'core/a.ts', `${ok}// ${'TO'}DO later\n`],
    ['no file is called utils', 'core/utils.ts', ok],
  ];

  it.each(broken)('%s: %s', (rule, path, text) => {
    const faults = faultsOf(source(path, text));
    expect(faults).toHaveLength(1);
    expect(faults[0]).toContain(rule);
  });

  it('and every rule is among them', () => {
    expect(rules.filter(({ name }) => !broken.some(([rule]) => name.includes(rule)))).toEqual([]);
  });

  it.each([
    ['api/a.ts', `${ok}import { b } from '../core/b.ts';\nimport { c } from './c.ts';\n`],
    ['main.ts', `#!/usr/bin/env node\n${ok}import { b } from './api/b.ts';\n`],
    [
      'ingest/normalise/a.ts',
      `${ok}// Date.now() is not for us\nconst t = new Date(text);\nconst u = 'process';\n`,
    ],
    ['core/a.ts', `${ok}const a = '// no comment'; /* : any */\nconst r = /"console.log/;\n`],
    [
      'core/a.ts',
      `${ok}export function f(): void {\n${long(68)}}\nexport function g(): void {\n${long(68)}}\n`,
    ],
  ])('and leaves good code alone: %s', (path, text) => {
    expect(faultsOf(source(path, text))).toEqual([]);
  });
});

describe('the dependencies', () => {
  const pkg = JSON.parse(read('package.json')) as Record<string, Record<string, string>>;
  const all = { ...pkg['dependencies'], ...pkg['devDependencies'], ...pkg['overrides'] };

  it('are pinned exactly', () => {
    expect(Object.keys(all).length).toBeGreaterThan(10);
    const loose = Object.entries(all).filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version));
    expect(loose, 'write the exact version: npm install --save-exact').toEqual([]);
  });

  it('are all in the lock file, those of other platforms too: npm ci refuses a lock without them', () => {
    const { packages } = JSON.parse(read('package-lock.json')) as {
      packages: Record<string, { optionalDependencies?: Record<string, string> }>;
    };
    const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter(
        (name) =>
          packages[`node_modules/${name}`] === undefined &&
          packages[`${path}/node_modules/${name}`] === undefined,
      ),
    );
    expect(Object.keys(packages).length).toBeGreaterThan(100);
    expect(missing, 'make the lock file again with a registry that has them').toEqual([]);
  });

  it('have a line with a reason in docs/decisions/0001-dependencies.md, and no other has', () => {
    const text = read('docs/decisions/0001-dependencies.md');
    const named = [...text.matchAll(/^\| `([^`]+)` \| \S/gm)].map((match) => match[1]);
    expect(named.sort()).toEqual(Object.keys(all).sort());
  });
});

describe('a build with the tools', () => {
  const filesOf = (project: string) =>
    execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '--listFilesOnly', '-p', project])
      .toString()
      .split('\n')
      .filter((path) => path.endsWith('.ts') && !path.includes('/node_modules/'));

  it('has every file of the product, also what is only started as a process', () => {
    const product = filesOf('tsconfig.build.json');
    const tools = new Set(filesOf('tsconfig.tools.json'));
    expect(product.some((path) => path.endsWith('ingest/collector/datagram-reader.ts'))).toBe(true);
    expect(product.filter((path) => !tools.has(path))).toEqual([]);
  });
});

describe('the docs', () => {
  it('docs/errors.md has a section for each error code, and no other', () => {
    const codes = [...read('docs/errors.md').matchAll(/^## (.+)$/gm)].map((match) => match[1]);
    expect(codes).toEqual(Object.keys(errorCodes));
  });

  it('docs/errors.md gives the exit code of each', () => {
    const text = read('docs/errors.md');
    const wrong = Object.entries(errorCodes).filter(
      ([code, exit]) => !text.includes(`## ${code}\n\nExit code ${exit}.`),
    );
    expect(wrong).toEqual([]);
  });

  it('docs/operating/configuration.md names every variable, and no other', () => {
    const text = read('docs/operating/configuration.md');
    const named = new Set([...text.matchAll(/`(SEALWATCH_[A-Z_]+)`/g)].map((match) => match[1]));
    expect([...named].sort()).toEqual(configVariables().sort());
  });

  it('links lead to files that are there', () => {
    const pages = ['README.md', 'CONTRIBUTING.md', 'docs/architecture.md', 'docs/errors.md'];
    const links = pages.flatMap((page) =>
      [...read(page).matchAll(/\]\(([^)#:]+)\)/g)].map((match) => importTarget(page, `./${match[1]}`) ?? ''),
    );
    expect(links.length).toBeGreaterThan(5);
    expect(links.filter((link) => !existsSync(link))).toEqual([]);
  });
});
