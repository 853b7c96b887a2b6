// The webhook signs each call, and tells what will never be taken from what may be taken later.

import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { webhookOutput } from '../../outputs/alerts/webhook.ts';
import { anAlert } from '../builders.ts';
import { startFakeWebhook } from './fake-webhook.ts';

const now = () => Date.parse('2026-09-07T10:00:00.900Z');
const secret = 'a secret of the receiver';

test('one POST per alert, whose signature the receiver can check', async () => {
  await using hook = await startFakeWebhook();
  const alert = { ...anAlert({ id: 'alert-1' }), message: 'é\u{1F511} "quoted"' };
  expect(await webhookOutput({ url: hook.url, secret: () => secret, now }).send(alert)).toEqual({
    result: 'done',
  });
  const [call] = hook.calls;
  expect(hook.calls).toHaveLength(1);
  expect(call).toMatchObject({ method: 'POST', path: '/hook' });
  expect(JSON.parse(call?.body ?? '')).toEqual(alert);
  const timestamp = String(Math.floor(now() / 1000));
  const signature = createHmac('sha256', secret).update(`${timestamp}.${call?.body}`).digest('hex');
  expect(call?.headers).toMatchObject({
    'content-type': 'application/json',
    'idempotency-key': 'alert-1',
    'x-sealwatch-timestamp': timestamp,
    'x-sealwatch-signature': `sha256=${signature}`,
  });
  expect(`${JSON.stringify(call?.headers)}${call?.body}`).not.toContain(secret);
});

test.each([
  [200, 'done'],
  [204, 'done'],
  [400, 'refused'],
  [401, 'refused'],
  [404, 'refused'],
  [413, 'refused'],
  [408, 'later'],
  [429, 'later'],
  [500, 'later'],
  [503, 'later'],
] as const)('HTTP %i means %s', async (status, result) => {
  await using hook = await startFakeWebhook();
  hook.answers.push(status);
  const answer = await webhookOutput({ url: hook.url, secret: () => secret, now }).send(anAlert({ id: 'a' }));
  expect(answer).toEqual(result === 'done' ? { result } : { result, why: `HTTP ${status}` });
});

test.each([301, 302, 307, 308])('a redirect is not followed: %i', async (status) => {
  await using hook = await startFakeWebhook();
  hook.answers.push(status);
  expect(
    (await webhookOutput({ url: hook.url, secret: () => secret, now }).send(anAlert({ id: 'a' }))).result,
  ).toBe('later');
  expect(hook.calls.map(({ path }) => path)).toEqual(['/hook']);
});

test('a receiver that is not there means later', async () => {
  const hook = await startFakeWebhook();
  await hook[Symbol.asyncDispose]();
  const answer = await webhookOutput({ url: hook.url, secret: () => secret, now }).send(anAlert({ id: 'a' }));
  expect(answer).toEqual({ result: 'later', why: expect.any(String) });
});

test('without its key nothing goes out, and later it does, with the key of then', async () => {
  await using hook = await startFakeWebhook();
  const keys: (string | undefined)[] = [undefined, 'one'];
  const output = webhookOutput({ url: hook.url, secret: () => keys.shift(), now });
  expect((await output.send(anAlert({ id: 'a' }))).result).toBe('later');
  expect(hook.calls).toHaveLength(0);
  expect((await output.send(anAlert({ id: 'a' }))).result).toBe('done');
  expect(hook.calls).toHaveLength(1);
});
