// What a start says: how to point a Vault at it, where the page is, where the key lies.

import { type Config, dataFiles } from '../../core/config.ts';
import type { StageName } from '../../core/records.ts';
import { ensureKey } from '../keys.ts';

export interface Welcome {
  config: Config;
  /** Where the API listens, or where a stage tells of its health. */
  address: string | undefined;
  replayOf?: string | undefined;
}

export function welcome({ config, address, replayOf }: Welcome): void {
  say([
    replayOf === undefined
      ? 'sealwatch is running.'
      : `sealwatch shows ${replayOf}; live Vaults are not listened to.`,
    '',
    `  web and API   ${address}`,
    ...kafkaOf(config),
    ...elasticsearchOf(config),
    ...keyAndData(config),
    '',
    ...(replayOf === undefined ? vaultCommands(config) : []),
    'Ctrl-C ends it; nothing is lost.',
  ]);
}

/** The same of a stage that runs alone. */
export function stageWelcome({ config, address, stage }: Welcome & { stage: StageName }): void {
  const health = ['  health        not told: set SEALWATCH_STAGE_PORT for /healthz, /readyz and /metrics'];
  say([
    `sealwatch ${stage} is running.`,
    '',
    ...(stage === 'serve' ? [`  web and API   ${address}`] : []),
    ...(stage === 'serve' ? [] : address === undefined ? health : [`  health        ${address}`]),
    ...kafkaOf(config),
    // The others have nothing to do with it.
    ...(stage === 'index' || stage === 'serve' ? elasticsearchOf(config) : []),
    ...(address === undefined ? [`  data          ${config.dataDir}`] : keyAndData(config)),
    '',
    ...(stage === 'collect' ? vaultCommands(config) : []),
    'Ctrl-C ends it; nothing is lost.',
  ]);
}

const say = (lines: string[]): void => {
  process.stdout.write(`\n${lines.join('\n')}\n\n`);
};

function kafkaOf({ stream, kafka: { brokers, prefix } }: Config): string[] {
  if (stream !== 'kafka') return [];
  return [`  Kafka         ${brokers.join(', ')}${prefix === '' ? '' : `, topics ${prefix}vault.audit.*`}`];
}

const elasticsearchOf = ({ evidence, elasticsearch: { nodes, prefix } }: Config): string[] =>
  evidence === 'elasticsearch' ? [`  Elasticsearch ${nodes.join(', ')}, indices ${prefix}-*`] : [];

function keyAndData({ dataDir }: Config): string[] {
  const { adminKey } = dataFiles(dataDir);
  // A key belongs on the owner's terminal, never into a log that somebody collects.
  const shown = process.stdout.isTTY
    ? `${ensureKey(adminKey).key}   (kept in ${adminKey})`
    : `in ${adminKey}`;
  return [`  admin key     ${shown}`, `  data          ${dataDir}`];
}

function vaultCommands(config: Config): string[] {
  const { file, unix, tcp } = config;
  const filePath = file.path ?? '/var/log/vault/audit.log';
  return [
    'Point Vault at it. First a file device: it is the record that fills every gap.',
    `  vault audit enable -path=file file file_path=${filePath}`,
    ...(file.path === undefined ? [`  and start sealwatch with SEALWATCH_FILE_PATH=${filePath}`] : []),
    'Then a socket, for alerts within seconds. Never a socket alone: a frozen host would stall Vault.',
    unix.path !== undefined
      ? `  vault audit enable -path=sealwatch socket socket_type=unix address=${unix.path}`
      : tcp.enabled
        ? `  vault audit enable -path=sealwatch socket socket_type=tcp address=${tcp.host}:${tcp.port}`
        : '  (no socket is configured: set SEALWATCH_UNIX_PATH or SEALWATCH_TCP_ENABLED)',
    'To take it out again: vault audit disable sealwatch',
    '',
  ];
}
