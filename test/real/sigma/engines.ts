// Gets the independent engines that our rules are held against: sigma-rust, built by cargo, and pySigma in a Python
// environment of its own. Both are kept in SERVERS_DIR, so that only the first run needs cargo, python3 and the network.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const here = resolve('test/real/sigma');
const kept = join(process.env['SERVERS_DIR'] ?? '/var/tmp/sealwatch-servers', 'sigma');
const MINUTES = 60_000;

/** The program of test/real/sigma/rust. */
export function sigmaRust(): string {
  const sources = ['Cargo.toml', 'Cargo.lock', 'src/main.rs'].map((name) => join(here, 'rust', name));
  return once('rust', sources, 'bin/sigma-verdicts', (folder) => {
    const args = ['install', '--locked', '--quiet', '--path', join(here, 'rust'), '--root', folder];
    needs('cargo', 'Rust: https://rustup.rs or the package cargo');
    call('cargo', [...args, '--target-dir', join(folder, 'target')], 9 * MINUTES);
    rmSync(join(folder, 'target'), { recursive: true });
  });
}

/** Python with pySigma and its backends. */
export function pySigma(): string {
  const wanted = join(here, 'python', 'requirements.txt');
  return once('python', [wanted], 'bin/python', (folder) => {
    needs('python3', 'Python 3.10 or newer with its venv module: the packages python3 and python3-venv');
    call('python3', ['-m', 'venv', folder], 2 * MINUTES);
    call(
      join(folder, 'bin/python'),
      ['-m', 'pip', 'install', '--quiet', '--no-deps', '-r', wanted],
      5 * MINUTES,
    );
  });
}

/** `file` of the folder for these sources, which `make` fills when there is none: beside it, so that it appears whole. */
function once(name: string, sources: string[], file: string, make: (folder: string) => void): string {
  const hash = createHash('sha256');
  for (const source of sources) hash.update(readFileSync(source));
  const folder = join(kept, `${name}-${hash.digest('hex').slice(0, 16)}`);
  if (!existsSync(folder)) {
    const made = `${folder}.${process.pid}`;
    rmSync(made, { recursive: true, force: true });
    mkdirSync(made, { recursive: true });
    make(made);
    // Another test may have been faster.
    if (existsSync(folder)) rmSync(made, { recursive: true });
    else renameSync(made, folder);
  }
  return join(folder, file);
}

function needs(command: string, install: string): void {
  try {
    execFileSync(command, ['--version'], { stdio: 'ignore' });
  } catch (cause) {
    throw new Error(`${command} is missing; install ${install}`, { cause });
  }
}

function call(command: string, args: string[], timeout: number): string {
  return execFileSync(command, args, { encoding: 'utf8', maxBuffer: 2 ** 28, timeout });
}

/** Numbers of the events that each rule matches, or why sigma-rust refuses the rule. */
export function rustVerdicts(rules: string[], events: object[]): (number[] | string)[] {
  const lines = rust('verdicts', rules, events).trim().split('\n');
  return lines.map((line) => JSON.parse(line) as number[] | string);
}

/** Nanoseconds of CPU that sigma-rust takes for all rules on all events, and how many pairs match. */
export const rustBench = (rules: string[], events: object[]): { matched: number; nanos: number } =>
  JSON.parse(rust('bench', rules, events)) as { matched: number; nanos: number };

function rust(verb: string, rules: string[], events: object[]): string {
  const program = sigmaRust();
  return withFolder((folder) => {
    const [rulesFile, eventsFile] = [join(folder, 'rules.json'), join(folder, 'events.jsonl')];
    writeFileSync(rulesFile, JSON.stringify(rules));
    writeFileSync(eventsFile, events.map((event) => JSON.stringify(event)).join('\n'));
    return call(program, [verb, rulesFile, eventsFile], 5 * MINUTES);
  });
}

/** What pySigma makes of a rule or correlation: a query for each backend, or why there is none. */
export interface Converted {
  error?: string;
  errors: Record<string, string>;
  kind: 'correlation' | 'rule';
  queries: Record<string, unknown[]>;
  title: string;
}

/** What pySigma makes of the rules in each of `files`, given as text. */
export function pySigmaQueries(files: string[]): Converted[] {
  const python = pySigma();
  return withFolder((folder) => {
    const file = join(folder, 'rules.json');
    writeFileSync(file, JSON.stringify(files));
    return JSON.parse(call(python, [join(here, 'python', 'convert.py'), file], 2 * MINUTES)) as Converted[];
  });
}

function withFolder<T>(use: (folder: string) => T): T {
  mkdirSync(kept, { recursive: true });
  const folder = mkdtempSync(join(kept, 'run-'));
  try {
    return use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
