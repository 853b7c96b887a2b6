// Lines that anybody can have Vault write, made to cost more than their length: each would hold up the sockets for seconds to
// hours if a search went over its bytes again and again. Not time but the test's own limit decides.

import { expect, test } from 'vitest';
import { Redactor } from '../../../ingest/collector/redact.ts';
import { Suspicion } from '../../../ingest/collector/suspect.ts';

const hash = `hmac-sha256:${'a'.repeat(64)}`;
const time = '2026-09-01T00:00:00Z';

const lines: [what: string, line: string][] = [
  ['backslashes behind a percent escape', headed(`%41${'\\'.repeat(400_000)}`)],
  ['percent signs', headed('%41'.repeat(100_000))],
  ['backslashes before u00', headed(`%41${'\\'.repeat(200_000)}u0041`)],
  [
    'nested data',
    entry(`${'{"data":'.repeat(9_000)}{"${'k'.repeat(2_000_000)}":"${hash}"}${'}'.repeat(9_000)}`),
  ],
  ['words that look like tokens', entry(`{"${`s.${'a'.repeat(24)} `.repeat(200_000)}":"${hash}"}`)],
  ['quotes', entry(`{"${'\\"'.repeat(1_000_000)}":"${hash}"}`)],
];

function headed(agent: string): string {
  const headers = { 'user-agent': [agent] };
  return JSON.stringify({ auth: {}, request: { headers, id: 'a', path: 'x' }, time, type: 'request' });
}

function entry(data: string): string {
  return `{"auth":{"client_token":"${hash}"},"request":{"data":${data},"id":"a","path":"auth/token/x"},"time":"${time}","type":"request"}`;
}

test.each(lines)('%s cost no more than their length', (_, line) => {
  const bytes = Buffer.from(line);
  new Suspicion().of(bytes, 0, bytes.length);
  const { line: after } = new Redactor(Buffer.alloc(32)).redact(bytes);
  expect(after.length).toBeLessThan(2 * bytes.length + 1000);
});

test('a long line whose caller makes it suspect keeps all but its data', () => {
  const values = Array.from({ length: 40_000 }, () => hash);
  const data = { [`%68vs.${'A'.repeat(30)}`]: values };
  const line = Buffer.from(entry(JSON.stringify(data)));
  const { line: after } = new Redactor(Buffer.alloc(32)).redact(line);
  expect(JSON.parse(after.toString())).toMatchObject({
    request: { id: 'a', path: 'auth/token/x', data: { sealwatch_withheld: expect.any(String) } },
    time,
  });
});
