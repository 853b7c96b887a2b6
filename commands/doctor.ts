// `sealwatch doctor`: looks at everything a sealwatch needs and says what to do about what is wrong.

import { accessSync, constants, existsSync, readFileSync, statfsSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { type Config, dataFiles } from '../core/config.ts';
import { SealwatchError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import { makeDataDir } from './keys.ts';
import { lockDataDir } from './lock.ts';
import { loadRules } from './rules.ts';

export interface Finding {
  state: 'ok' | 'warn' | 'fail';
  what: string;
  todo?: string;
}

const ok = (what: string): Finding => ({ state: 'ok', what });
const warn = (what: string, todo: string): Finding => ({ state: 'warn', what, todo });
const fail = (what: string, todo: string): Finding => ({ state: 'fail', what, todo });

/** All checks, in the order in which one would mend them. */
export async function examine(config: Config): Promise<Finding[]> {
  return [
    checkNode(),
    checkData(config),
    checkSpace(config),
    ...checkDevices(config),
    ...(await checkRunning(config)),
    checkRules(config),
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

function checkDevices({ file, unix, tcp }: Config): Finding[] {
  if (file.path === undefined) {
    return [
      fail(
        'a socket would be the only device of Vault: a frozen host stalls it, and nothing fills gaps',
        'Enable a file device in Vault and set SEALWATCH_FILE_PATH to its file.',
      ),
    ];
  }
  const findings = [checkFile(file.path)];
  if (unix.path === undefined && tcp.enabled)
    findings.push(
      warn(
        'a TCP socket loses a line at each restart',
        'On the same host use SEALWATCH_UNIX_PATH: a Unix socket loses none.',
      ),
    );
  if (unix.path === undefined && !tcp.enabled)
    findings.push(ok('file device only: alerts come a little later'));
  return findings;
}

function checkFile(path: string): Finding {
  try {
    accessSync(path, constants.R_OK);
    return ok(`audit file ${path}`);
  } catch {
    return fail(
      `the audit file ${path} cannot be read`,
      'Vault writes it with mode 0600: run sealwatch as the same group and enable the device with mode=0640.',
    );
  }
}

/** A running sealwatch is asked how it is; else the folder must be free. */
async function checkRunning(config: Config): Promise<Finding[]> {
  const { host, port } = config.api;
  if (!(await answers(host, port))) return [checkLock(config)];
  try {
    const answer = await fetch(`http://${host}:${port}/readyz`, { signal: AbortSignal.timeout(5_000) });
    const body = (await answer.json()) as { ready?: boolean; reasons?: string[] };
    if (answer.ok)
      return [ok(`sealwatch runs on ${host}:${port} and is ready`), ...(await checkFeed(config))];
    return [
      fail(
        `sealwatch on ${host}:${port} is not ready: ${body.reasons?.join(', ') ?? answer.status}`,
        'Look at its log on standard error.',
      ),
    ];
  } catch {
    return [
      fail(`what listens on ${host}:${port} is not sealwatch`, 'Set SEALWATCH_API_PORT to a free port.'),
    ];
  }
}

async function checkFeed(config: Config): Promise<Finding[]> {
  const { host, port } = config.api;
  const key = readFileSync(dataFiles(config.dataDir).adminKey, 'utf8').trim();
  const answer = await fetch(`http://${host}:${port}/metrics`, {
    headers: { authorization: `Bearer ${key}` },
    signal: AbortSignal.timeout(5_000),
  });
  if (!answer.ok)
    return [warn('the running sealwatch uses another data folder', 'Give doctor the same configuration.')];
  const value = (name: string, text: string) =>
    Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? 0);
  const text = await answer.text();
  const lines = value('sealwatch_collector_lines_total', text);
  const dropped = value('sealwatch_collector_dropped_total', text);
  return [
    lines > 0
      ? ok(`${lines} lines since its start`)
      : warn('no line has come since its start', 'Is the device enabled? `vault audit list -detailed`'),
    dropped === 0
      ? ok('nothing dropped')
      : warn(`${dropped} lines dropped or cut`, 'See /v1/coverage for when; the file device has them.'),
  ];
}

function checkLock(config: Config): Finding {
  try {
    lockDataDir(config.dataDir)[Symbol.dispose]();
    return ok('sealwatch does not run; its data folder is free');
  } catch {
    return warn(
      'a sealwatch uses this data folder, but not this API port',
      'Give doctor the same configuration as the running sealwatch.',
    );
  }
}

function checkRules(config: Config): Finding {
  try {
    return ok(`${loadRules(config.rules.dir).catalogue.length} rules`);
  } catch (error) {
    return fail(
      error instanceof SealwatchError ? error.line : String(error),
      'Mend the rule, then try `sealwatch rules test`.',
    );
  }
}

function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 2_000 });
    const done = (result: boolean) => {
      socket.destroy();
      resolve(result);
    };
    socket
      .once('connect', () => done(true))
      .once('error', () => done(false))
      .once('timeout', () => done(false));
  });
}
