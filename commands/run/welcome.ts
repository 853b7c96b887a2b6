// What a start says: how to point a Vault at it, where the page is, where the key lies.

import { type Config, dataFiles } from '../../core/config.ts';

export interface Welcome {
  config: Config;
  /** Where the API listens. */
  address: string;
  key: string;
  replayOf?: string;
}

export function welcome({ config, address, key, replayOf }: Welcome): void {
  const { adminKey } = dataFiles(config.dataDir);
  // A key belongs on the owner's terminal, never into a log that somebody collects.
  const shownKey = process.stdout.isTTY ? `${key}   (kept in ${adminKey})` : `in ${adminKey}`;
  const lines = [
    '',
    replayOf === undefined
      ? 'sealwatch is running.'
      : `sealwatch shows ${replayOf}; live Vaults are not listened to.`,
    '',
    `  web and API   ${address}`,
    `  admin key     ${shownKey}`,
    `  data          ${config.dataDir}`,
    '',
    ...(replayOf === undefined ? vaultCommands(config) : []),
    'Ctrl-C ends it; nothing is lost.',
    '',
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
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
