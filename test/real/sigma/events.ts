// Events of the comparison: what a real Vault wrote, and the same with texts that a caller can send.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const goldens = 'test/fixtures/golden';

/** Reviewed events of the fixtures. */
export function realEvents(): object[] {
  return ['default', 'auth'].flatMap((device) =>
    readdirSync(join(goldens, device)).flatMap((file) =>
      readFileSync(join(goldens, device, file), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as object),
    ),
  );
}

const base64 = (text: string, encoding: BufferEncoding = 'utf8') =>
  Buffer.from(text, encoding).toString('base64');

/** User agents, which a caller chooses: encoded texts, wildcards and backslashes as they stand, dashes. */
const agents = [
  `x ${base64('vault')} y`,
  base64('my vault, secret/data/billing'),
  `${base64('1 vault')} ${base64('12secret/data')}`,
  base64('vault', 'utf16le'),
  base64('\ufeffbilling', 'utf16le'),
  base64('the billing', 'utf16le'),
  'a*b',
  'A?B',
  'a\\b',
  'back\\slash\\',
  'vault server -dev',
  'vault server /dev \u2013mode',
  'ab1ab2c',
  '',
  'true',
  'ROOT',
  '3600',
];

/** The real events, and one for each agent with the first real event around it. */
export function comparisonEvents(): object[] {
  const real = realEvents();
  const [first] = real;
  return [...real, ...agents.map((original) => ({ ...first, user_agent: { original } }))];
}
