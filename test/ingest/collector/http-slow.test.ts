// A sender that never ends its request is cut off; the time for it is short here.

import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { OpenInput, until } from './inputs.ts';

vi.mock('../../../core/limits.ts', async (original) => {
  const { limits } = await original<typeof import('../../../core/limits.ts')>();
  return { limits: { ...limits, httpHeadersMs: 100, httpRequestMs: 200 } };
});

const folder = mkdtempSync(join(tmpdir(), 'sealwatch-http-slow-'));
afterAll(() => rmSync(folder, { recursive: true }));
const token = 'a'.repeat(40);

test.each([
  ['nothing', ''],
  ['half a header', 'POST / HTTP/1.1\r\nHost: a\r\nAuthoriz'],
  [
    'half a body',
    `POST / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\nContent-Length: 9\r\n\r\nhalf`,
  ],
])('%s', async (_, beginning) => {
  const tokenFile = join(folder, 'token');
  writeFileSync(tokenFile, token);
  await using input = await OpenInput.open({ type: 'http', tokenFile });
  const socket = await input.dial();
  socket.write(beginning);
  await once(socket.resume(), 'close');
  await until(() => expect(input.count('truncated')).toBe(beginning.endsWith('half') ? 1 : 0));
  expect([input.lines, input.budget.used]).toEqual([[], 0]);
});
