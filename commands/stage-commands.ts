// The command line of the stages, each as a process of its own: what it does, what it needs, how many of it may run.

import type { Command } from 'commander';
import type { Config } from '../core/config.ts';
import type { StageName } from '../core/records.ts';

export interface StageCommands {
  config: () => Config;
  version: string;
  onEnd: (exitCode: number) => void;
}

interface Help {
  /** One line, for the list of commands. */
  does: string;
  /** What `--help` says below the options. */
  more: string;
}

/** Of every stage. */
const COMMON = `
All processes get the same configuration file: stream: kafka, kafka.brokers, and the same number of partitions. The topics are made
once, by \`sealwatch doctor --fix\`. SEALWATCH_STAGE_PORT opens /healthz, /readyz and /metrics (by the admin key of its data folder).
Stages may share a data folder, but no two of the same kind: each process of a kind has a folder of its own (SEALWATCH_DATA_DIR).`;

const helps: Readonly<Record<Exclude<StageName, 'collect'>, Help>> = {
  normalise: {
    does: 'lines into events: parse, pair by request id, name the caller; any number may run',
    more: `
Reads vault.audit.raw, writes vault.audit.events, vault.audit.coverage and vault.audit.credentials.
Keeps nothing on disk: what it knows lies in Kafka. Any number may run, up to one a partition works; they share the partitions, and
take over those of one that goes.`,
  },
  ledger: {
    does: 'every lease and token from issue to end; one works, any number stand by',
    more: `
Reads vault.audit.credentials, writes vault.audit.leases, and Vault's answers to vault.audit.raw. Keeps replicas/ledger.db in its data
folder, and all of it in Kafka too, so that another process can go on. One process works, because a revoked parent crosses every key; each
further one stands by, is ready, says so in /readyz, and takes over when the one that works goes. The one that works also sends the
heartbeat and the ledger's questions to Vault (vault.address); the others do not log in.`,
  },
  detect: {
    does: 'events into alerts: rules and behaviours; any number may run',
    more: `
Reads vault.audit.events, vault.audit.groups, vault.audit.leases and vault.audit.coverage, writes vault.audit.alerts, vault.audit.groups
and, of rules, vault.audit.changes. Keeps what it has learned in replicas/ in its data folder, and all of it in Kafka too. Any number may
run, up to one a partition works. All must have the same rules and lists (rules.dir, rules.lists); each takes changes over by itself.`,
  },
  index: {
    does: 'what the stages made into the evidence store; any number with Elasticsearch, one with the embedded store',
    more: `
With evidence: elasticsearch any number may run, up to one a partition works. With evidence: embedded exactly one, in the same data
folder as the one \`serve\`: the store is a file there. It also deletes what is old, from the store and from Kafka (retention).`,
  },
  deliver: {
    does: 'alerts to the alerts file and the webhook; any number may run',
    more: `
Reads vault.audit.alerts. Each process writes the alerts of its own partitions to its own file (alerts.jsonl in its data folder, or
outputs.file.path); together they have each alert once. A signing key in Vault is read with a login of its own (vault.address).`,
  },
  serve: {
    does: 'the API and the page; any number with Elasticsearch, one with the embedded store',
    more: `
Serves on 127.0.0.1:8320 (SEALWATCH_API_PORT); the admin key is in the file admin-key of its data folder. With evidence: elasticsearch
any number may run, with the same keys (\`keys\`), behind a balancer. With evidence: embedded exactly one, in the same data folder as the
one \`index\`. What people do (triage) goes to vault.audit.changes. The record of who looked at evidence is a file in its data folder.`,
  },
};

const COLLECT_HELP = `
Listens for Vault and follows audit files as \`sealwatch run\` does, scrubs each line, makes it durable in its spool (stream/ in its data
folder), and drains the spool into vault.audit.raw. While Kafka is away the spool grows and Vault is not held up: give it room for the
outage that you want to live through (docs/operating/scale-out.md), or bound an input with quotaMiB.
Any number may run, one on each host of Vault; each has its own devices and its own data folder. Never copy a data folder to a second
host; one that was copied gets a spool of its own.`;

/** Adds `collect`, `normalise`, `ledger`, `detect`, `index`, `deliver` and `serve`. */
export function addStages(program: Command, { config, version, onEnd }: StageCommands): void {
  const start = async (stage: StageName) => {
    const { run } = await import('./run/run.ts');
    onEnd(await run({ config: config(), version, stage }));
  };
  program
    .command('collect')
    .description('what Vault writes into Kafka, through a spool on disk; any number may run')
    .option('--drain', 'accept what Vault writes and throw it away, to get Vault going again')
    .addHelpText('after', `${COLLECT_HELP}\n${COMMON}`)
    .action(async ({ drain: drains }: { drain?: boolean }) => {
      if (drains !== true) return start('collect');
      const { drain } = await import('./collect.ts');
      onEnd(await drain(config()));
    });
  for (const [stage, { does, more }] of Object.entries(helps))
    program
      .command(stage)
      .description(does)
      .addHelpText('after', `${more}\n${COMMON}`)
      .action(() => start(stage as StageName));
}
