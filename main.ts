#!/usr/bin/env node
// The command line: one command a file in commands/, errors as one line, exit codes 0 done, 1 failed, 2 wrong usage.

import { basename, join, resolve } from 'node:path';
import { Command, CommanderError } from 'commander';
import { readVersion } from './commands/version.ts';
import { type Config, loadConfig } from './core/config.ts';
import { SealwatchError } from './core/errors.ts';

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

Exit codes: 0 done, 1 failed, 2 wrong usage or configuration. Errors: docs/errors.md`,
  );

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

program
  .command('collect')
  .description('the collector alone; for now only with --drain')
  .option('--drain', 'accept what Vault writes and throw it away, to get Vault going again')
  .action(async ({ drain: drains }: { drain?: boolean }) => {
    if (drains !== true)
      throw new SealwatchError(
        'USAGE',
        'collect works with --drain only',
        'Use `sealwatch run` to collect and keep.',
      );
    const { drain } = await import('./commands/collect.ts');
    exitCode = await drain(config());
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
  .action(async (files: string[], options: { out: string; rules?: string; vaultAnswers?: string }) => {
    const [{ replay }, { loadRules }] = await Promise.all([
      import('./commands/replay.ts'),
      import('./commands/rules.ts'),
    ]);
    const loaded = config();
    const rules = loadRules(options.rules ?? loaded.rules.dir);
    const summary = await replay({
      files,
      out: join(options.out),
      config: loaded,
      rules,
      ...(options.vaultAnswers !== undefined && { answers: options.vaultAnswers }),
      progress: process.stderr.isTTY,
    });
    process.stdout.write(`${JSON.stringify(summary)}\n`);
  });

const rules = program.command('rules').description('the detection rules');
rules
  .command('list')
  .description('all rules: level, id, what they find')
  .option('--json', 'as JSON')
  .action(async ({ json }: { json?: boolean }) => {
    const { listRules, loadRules } = await import('./commands/rules.ts');
    process.stdout.write(`${listRules(loadRules(config().rules.dir), { json: json === true }).trimEnd()}\n`);
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
  .description('check Node, data folder, devices, ports and rules, and say what to do')
  .action(async () => {
    const { examine, reportOf } = await import('./commands/doctor.ts');
    const findings = await examine(config());
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

// A thread or a connection that is left must not keep a process that has failed.
const code = await main();
if (code === 0) process.exitCode = 0;
else process.exit(code);
