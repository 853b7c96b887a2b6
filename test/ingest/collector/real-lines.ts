// Lines that a real Vault wrote, for the collector's tests.

import { readdirSync, readFileSync } from 'node:fs';

const fixtures = 'test/fixtures/vault-1.21.1';

const linesOfFile = (path: string): string[] => readFileSync(path, 'utf8').split('\n').slice(0, -1);

/** All lines of one audit device, scene after scene. */
export const deviceLines = (device: 'default' | 'raw' | 'plain-accessor'): string[] =>
  readdirSync(`${fixtures}/${device}`)
    .sort()
    .flatMap((name) => linesOfFile(`${fixtures}/${device}/${name}`));

/** What a Vault with its default device wrote over several days. */
export const sampleLines = (): string[] => linesOfFile('deploy/sample/audit.jsonl');

export const everyLine = (): string[] => [
  ...deviceLines('default'),
  ...deviceLines('raw'),
  ...deviceLines('plain-accessor'),
  ...sampleLines(),
];
