#!/usr/bin/env node
// The command line: one command a file in commands/, errors as one line, exit codes 0 done, 1 failed, 2 wrong usage.

import { basename, join, resolve } from 'node:path';
import { Command, CommanderError } from 'commander';
import type { DoctorOptions } from './commands/doctor.ts';
import type { BacktestCommand } from './commands/rules/backtest-command.ts';
import { addStages } from './commands/stage-commands.ts';
import { readVersion } from './commands/version.ts';
import { type Config, loadConfig } from './core/config.ts';
import { SealwatchError, systemCode } from './core/errors.ts';

const version = readVersion();
let exitCode = 0;
// Whatever is made is for its owner only; the socket for Vault's group is opened where it is made.
process.umask(0o077);
const program = new Command('sealwatch')
  .description(
    'Reads the audit log of HashiCorp Vault and OpenBao: who did what, what is unusual, and evidence for auditors.',
  )
  .version(version)
  .option(
    '--config <file>',
    'YAML configuration (also SEALWATCH_CONFIG); each key is also a variable: api.port is SEALWATCH_API_PORT',
  )
  .option('--debug', 'show stack traces')
  .addHelpText(
    'after',
    `
Examples:
  sealwatch run                                    everything in one process, data in ./data
  SEALWATCH_FILE_PATH=/var/log/vault/audit.log sealwatch run
  sealwatch run --replay audit.log                 look at a recorded log
  sealwatch replay audit.log.gz --out result       the same as files, no server
  sealwatch rules test                             do all rules find what they are for
  sealwatch doctor                                 what is wrong, and what to do
  sealwatch collect                                one stage alone, where one process is not enough: see each stage's --help

Exit codes: 0 done, 1 failed, 2 wrong usage or configuration. Errors: docs/errors.md`,
  );

interface ReplayCommand {
  out: string;
  rules?: string;
  lists?: string;
  vaultAnswers?: string;
}

const config = (): Config =>
  loadConfig(
    process.env,
    (program.opts()['config'] as string | undefined) ?? process.env['SEALWATCH_CONFIG'],
  );

program
  .command('run')
  .description('collect, normalise, detect, index and serve in one process, on three threads')
  .option(
    '--replay <file>',
    'show a recorded log (plain or .gz) from a data folder of its own; listens to no Vault',
  )
  .addHelpText(
    'after',
    `
Listens for Vault on 127.0.0.1:8321 (SEALWATCH_TCP_PORT), on a Unix socket (SEALWATCH_UNIX_PATH), and follows the file of a
file device (SEALWATCH_FILE_PATH). Serves the API and the page on 127.0.0.1:8320 (SEALWATCH_API_PORT).
Keeps everything in ./data (SEALWATCH_DATA_DIR). The admin key is in the file admin-key there.`,
  )
  .action(async ({ replay: file }: { replay?: string }) => {
    const { run } = await import('./commands/run/run.ts');
    if (file === undefined) {
      exitCode = await run({ config: config(), version });
      return;
    }
    const { replayConfig } = await import('./commands/run/replay-config.ts');
    exitCode = await run({
      config: await replayConfig(config(), resolve(file)),
      version,
      replayOf: basename(file),
    });
  });

addStages(program, {
  config,
  version,
  onEnd: (code) => {
    exitCode = code;
  },
});

program
  .command('replay')
  .description('run the stages over recorded logs and write what they make as files')
  .argument('<files...>', 'audit logs, plain or .gz, or - for standard input; each is a device of its own')
  .requiredOption(
    '--out <dir>',
    'folder for events.jsonl leases.jsonl alerts.jsonl rejects.jsonl summary.json',
  )
  .option('--rules <dir>', 'rules of your own beside the built-in ones')
  .option('--lists <file>', 'allow-list, maintenance, classes and thresholds')
  .option(
    '--vault-answers <file>',
    "recorded answers of Vault's API as JSON lines, plain or .gz: lifetimes, names and mounts",
  )
  .addHelpText(
    'after',
    `
Two logs of the same Vault (two devices, two nodes) are joined call by call. The same logs give the same bytes, in whatever
order their lines come. Rows are canonical JSON, in order of (time, id).`,
  )
  .action(async (files: string[], options: ReplayCommand) => {
    const [{ replay }, { load }] = await Promise.all([
      import('./commands/replay.ts'),
      import('./commands/rules/load.ts'),
    ]);
    const loaded = config();
    const { notes, rules, lists } = load({
      dir: options.rules ?? loaded.rules.dir,
      lists: options.lists ?? loaded.rules.lists,
      posture: loaded.posture,
    });
    tell(notes);
    const summary = await replay({
      files,
      out: join(options.out),
      config: loaded,
      rules,
      lists,
      ...(options.vaultAnswers !== undefined && { answers: options.vaultAnswers }),
      progress: process.stderr.isTTY,
    });
    process.stdout.write(`${JSON.stringify(summary)}\n`);
  });

const rules = program
  .command('rules')
  .description('the detection rules: what there is, whether they work, what they would have found')
  .addHelpText(
    'after',
    `
Rules are Sigma YAML. Your own lie in a folder (SEALWATCH_RULES_DIR), what is allowed to whom until when in a lists file
(SEALWATCH_RULES_LISTS); a sealwatch that runs takes changes of both over within seconds, at once with SIGHUP.

A new rule, step by step:
  sealwatch rules test my-rules                          does it fire and stay quiet where it should
  sealwatch rules backtest --rules my-rules/new.yml      what it would have found in the events there are
  sealwatch rules backtest --lists lists.yml             what the lists would have silenced`,
  );
rules
  .command('list')
  .description(
    'all rules and behaviours: level, type, version, what they count, their file; and which a sealwatch that runs has switched off',
  )
  .option('--json', 'all that they say, as JSON')
  .action(async ({ json }: { json?: boolean }) => {
    const [{ listRules }, { load }, { rulesOff }] = await Promise.all([
      import('./commands/rules.ts'),
      import('./commands/rules/load.ts'),
      import('./commands/rules/running.ts'),
    ]);
    const loaded = config();
    const { notes, rules } = load(loaded.rules);
    const off = await rulesOff(loaded);
    tell(notes);
    process.stdout.write(`${listRules(rules, { json: json === true, off }).trimEnd()}
`);
  });
rules
  .command('lists')
  .description('what the lists file silences and sets, and which entries have ended or soon will')
  .argument('[file]', 'a lists file; the configured one without it')
  .option('--json', 'as JSON')
  .action(async (file: string | undefined, { json }: { json?: boolean }) => {
    const { listsCommand } = await import('./commands/rules/lists.ts');
    const { rules } = config();
    process.stdout.write(listsCommand({ dir: rules.dir, lists: file ?? rules.lists }, json === true));
  });
rules
  .command('backtest')
  .description('what rules would have found in the events that the evidence store holds; changes nothing')
  .option('--rules <path...>', 'files or folders of rules that run alone; all rules without it')
  .option('--lists <file>', 'a lists file; the configured one without it')
  .option('--from <time>', 'event time, a day or 2026-09-01T12:00:00Z; all that is held without it')
  .option('--to <time>', 'event time, exclusive')
  .option('--data <dir>', 'data folder; the configured one without it')
  .option('--behaviours', 'let behaviours learn from the begin of the period, too')
  .option('--json', 'all counts as JSON')
  .addHelpText(
    'after',
    `
Reads beside a sealwatch that runs. The rules see the calls in order of event time, by the same code, so they find what they
would have found; behaviours over leases, lost lines and own traffic are left out: the store has no history of them.`,
  )
  .action(async (command: BacktestCommand) => {
    const { backtestCommand } = await import('./commands/rules/backtest-command.ts');
    process.stdout.write(await backtestCommand(config(), command));
  });
rules
  .command('test')
  .description(
    'run the cases beside the rules: each rule must fire where it should and be quiet where it should',
  )
  .argument('[dir]', 'a folder of rules of your own; the built-in ones without it')
  .action(async (dir?: string) => {
    const [{ testRules }, { normaliseLines }] = await Promise.all([
      import('./commands/rules.ts'),
      import('./commands/replay-lines.ts'),
    ]);
    const { failed, report } = testRules(normaliseLines, dir);
    process.stdout.write(`${report.trimEnd()}\n`);
    if (failed > 0)
      throw new SealwatchError(
        'RULE_CASES_FAILED',
        `${failed} cases failed`,
        'The report above says what was expected and what came.',
      );
  });

program
  .command('doctor')
  .description(
    'check Node, data folder, devices, ports, rules, Vault, Kafka, Elasticsearch, and say what to do',
  )
  .option('--fix', 'make the topics and templates that are missing')
  .option('--only <parts>', 'some of host,inputs,vault,rules,kafka,elasticsearch')
  .action(async (options: DoctorOptions) => {
    const { examine, reportOf } = await import('./commands/doctor.ts');
    const findings = await examine(config(), options);
    process.stdout.write(reportOf(findings));
    const failed = findings.filter((finding) => finding.state === 'fail').length;
    if (failed > 0)
      throw new SealwatchError(
        'DOCTOR_FOUND_FAULTS',
        `${failed} checks failed`,
        'Do what stands behind the arrows.',
      );
  });

/** Commander ends by itself otherwise, with 1 for wrong usage. */
/** What is not wrong in rules but most likely not meant; to people, not into the output. */
function tell(notes: readonly string[]): void {
  for (const note of notes) process.stderr.write(`note: ${note}\n`);
}

function neverExit(command: Command): void {
  command.exitOverride();
  for (const child of command.commands) neverExit(child);
}

async function main(): Promise<number> {
  neverExit(program);
  try {
    await program.parseAsync();
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const known =
      error instanceof SealwatchError
        ? error
        : new SealwatchError(
            'INTERNAL',
            error instanceof Error ? error.message : String(error),
            'This is a bug of sealwatch: run it again with --debug and report it.',
            { cause: error },
          );
    process.stderr.write(`${known.line}\n`);
    const debug = program.opts()['debug'] === true || (process.env['SEALWATCH_DEBUG'] ?? '') !== '';
    if (debug && error instanceof Error) process.stderr.write(`${error.stack}\n`);
    return known.exitCode;
  }
}

// Whoever reads has seen enough (`| head`): nothing to say, and no reason for `run` to end.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error) => {
    if (systemCode(error) !== 'EPIPE') throw error;
  });

// A thread or a connection that is left must not keep a process that has failed.
const code = await main();
if (code === 0) process.exitCode = 0;
else process.exit(code);
