// `sealwatch doctor`: looks at everything a sealwatch needs and says what to do about what is wrong.

import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs';
import { pino } from 'pino';
import { type Config, dataFiles } from '../core/config.ts';
import { SealwatchError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import { timeOfMs } from '../core/time.ts';
import { checkOwnSecret } from './doctor/files.ts';
import { type Finding, fail, ok, warn } from './doctor/finding.ts';
import { checkInputs } from './doctor/inputs.ts';
import { checkLock, checkRunning, isRunning } from './doctor/running.ts';
import { checkVault } from './doctor/vault.ts';
import { makeDataDir } from './keys.ts';
import { listStates, listWarnings } from './rules/lists.ts';
import { load } from './rules/load.ts';

/** What can be looked at alone. */
const parts = ['host', 'inputs', 'vault', 'rules', 'kafka', 'elasticsearch'] as const;
type Part = (typeof parts)[number];

export interface DoctorOptions {
  /** Make topics and templates that are missing. */
  fix?: boolean;
  /** Names of `parts` with commas between them; all without it. */
  only?: string;
}

/** All checks, in the order in which one would mend them. Throws USAGE for a part that there is not. */
export async function examine(config: Config, { fix = false, only }: DoctorOptions = {}): Promise<Finding[]> {
  const chosen = chosenParts(only);
  const runs = await isRunning(config);
  const checks: Record<Part, () => Finding[] | Promise<Finding[]>> = {
    host: async () => [...checkHost(config), ...(runs ? await checkRunning(config) : [checkLock(config)])],
    inputs: () => checkInputs(config, runs, Date.now()),
    vault: () => checkVault(config, runs),
    rules: () => checkRules(config),
    kafka: async () => (await import('./doctor/kafka.ts')).checkKafka(config, fix, pino({ level: 'silent' })),
    elasticsearch: async () => (await import('./doctor/elasticsearch.ts')).checkElasticsearch(config, fix),
  };
  const findings: Finding[] = [];
  for (const part of parts) if (chosen.has(part)) findings.push(...(await checks[part]()));
  return findings;
}

function chosenParts(only: string | undefined): Set<string> {
  const chosen = only === undefined ? parts : only.split(',').map((part) => part.trim());
  const unknown = chosen.filter((part) => !parts.some((known) => known === part));
  if (unknown.length > 0)
    throw new SealwatchError(
      'USAGE',
      `doctor does not know ${unknown.join(', ')}`,
      `It knows ${parts.join(', ')}.`,
    );
  return new Set(chosen);
}

function checkHost(config: Config): Finding[] {
  const { adminKey, scrubKey } = dataFiles(config.dataDir);
  return [
    checkNode(),
    checkData(config),
    ...checkOwnSecret('the admin key', adminKey),
    ...checkOwnSecret('the key that hides secrets', scrubKey),
    checkSpace(config),
  ];
}

/** One line a finding, and what to do under each that is not ok. */
export function reportOf(findings: readonly Finding[]): string {
  const lines = findings.flatMap(({ state, what, todo }) => [
    `${state.padEnd(5)}${what}`,
    ...(todo === undefined ? [] : [`     -> ${todo}`]),
  ]);
  return `${lines.join('\n')}\n`;
}

function checkNode(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const good = major > 20 || (major === 20 && minor >= 19);
  return good
    ? ok(`Node ${process.versions.node}`)
    : fail(`Node ${process.versions.node} is too old`, 'Install Node 20.19 or later; 24 is best.');
}

function checkData({ dataDir }: Config): Finding {
  try {
    makeDataDir(dataDir);
    accessSync(dataDir, constants.R_OK | constants.W_OK);
  } catch {
    return fail(
      `the data folder ${dataDir} cannot be written`,
      'Give this user the folder, or set SEALWATCH_DATA_DIR.',
    );
  }
  const open = (statSync(dataDir).mode & 0o077) !== 0;
  return open
    ? warn(`others can look into ${dataDir}`, `chmod 700 ${dataDir}`)
    : ok(`data folder ${dataDir}`);
}

function checkSpace({ dataDir }: Config): Finding {
  if (!existsSync(dataDir)) return warn('free space is not known', 'Make the data folder first.');
  const { bavail, bsize } = statfsSync(dataDir);
  const free = bavail * bsize;
  const text = `${(free / 2 ** 30).toFixed(1)} GiB free for data`;
  return free > SPACE_BYTES
    ? ok(text)
    : warn(
        text,
        'A full disk makes the file wait and drops what sockets bring: make room, or lower SEALWATCH_RETENTION_STREAM_HOURS.',
      );
}

const SPACE_BYTES = 64 * limits.segmentBytesMax;

function checkRules({ rules: source }: Config): Finding[] {
  try {
    const { notes, rules, read } = load(source);
    const warnings = read === undefined ? [] : listWarnings(listStates(read, timeOfMs(Date.now())));
    return [
      ok(`${rules.catalogue.length} rules and behaviours`),
      ...notes.map((note) => warn(note, 'Mend the rule, or take it out of the folder.')),
      ...warnings.map((warning) =>
        warn(warning, 'Edit the lists file; `sealwatch rules lists` shows all of it.'),
      ),
    ];
  } catch (error) {
    return [
      fail(
        error instanceof SealwatchError ? error.line : String(error),
        'Mend the file, then try `sealwatch rules test`. A sealwatch that runs keeps the rules it has.',
      ),
    ];
  }
}
