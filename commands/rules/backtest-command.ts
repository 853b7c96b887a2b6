// The command line of `rules backtest`: where the events come from, how long the period is, what is shown.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { canonicalJson } from '../../core/canonical.ts';
import { type Config, dataFiles, secretRefsOf } from '../../core/config.ts';
import { SealwatchError } from '../../core/errors.ts';
import { slowCallNanos, utcTime } from '../../core/time.ts';
import { openEvidenceReader } from '../../storage/evidence/embedded/reader.ts';
import { Learned } from '../learned.ts';
import { progressLine } from '../progress.ts';
import { type BacktestResult, backtest, backtestReport } from './backtest.ts';
import { load } from './load.ts';

export interface BacktestCommand {
  /** Files and folders of rules that run alone. */
  rules?: string[];
  lists?: string;
  from?: string;
  to?: string;
  /** The data folder; that of the configuration without it. */
  data?: string;
  behaviours?: boolean;
  json?: boolean;
}

/** What is to be printed. Throws SealwatchError: USAGE, RULE_INVALID, LISTS_INVALID, DATA_DIR_UNUSABLE. */
export async function backtestCommand(config: Config, command: BacktestCommand): Promise<string> {
  const period = { ...timeOf('from', command.from), ...timeOf('to', command.to) };
  const { notes, rules, lists } = load({
    dir: config.rules.dir,
    only: command.rules,
    lists: command.lists ?? config.rules.lists,
    posture: config.posture,
  });
  for (const note of notes) process.stderr.write(`note: ${note}\n`);
  await using reader = openEvidenceReader(dataFiles(command.data ?? config.dataDir).evidence);
  const folder = mkdtempSync(join(tmpdir(), 'sealwatch-backtest-'));
  try {
    using learned = command.behaviours === true ? new Learned(folder) : undefined;
    const result = await backtest({
      ...{ reader, rules, lists, ...period },
      cluster: config.cluster,
      ownSecrets: secretRefsOf(config).map(({ path }) => path),
      slowCallNanos: slowCallNanos(config.time),
      ...(learned !== undefined && { learned }),
      now: Date.now,
      progress: progressLine(process.stderr.isTTY, 'backtest'),
    });
    return command.json === true
      ? `${canonicalJson(result satisfies BacktestResult)}\n`
      : backtestReport(result);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A day stands for its begin, in UTC. */
function timeOf<N extends 'from' | 'to'>(name: N, text: string | undefined): { [K in N]?: string } {
  if (text === undefined) return {};
  const time = utcTime(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00Z` : text);
  if (time !== undefined) return { [name]: time } as { [K in N]?: string };
  throw new SealwatchError(
    'USAGE',
    `--${name} ${text} is no time`,
    'Write a day (2026-09-01) or a time with its zone (2026-09-01T12:00:00Z).',
  );
}
