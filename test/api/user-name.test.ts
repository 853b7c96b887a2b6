// Default names of database users: what fits, and what must not.

import { expect, test } from 'vitest';
import { fitting, madeAt } from '../../api/credentials/user-name.ts';

const random = 'Ff0bLkq2XUcxTnZr9m1a';

const fit: [name: string, display: string, role: string, plugins: string | undefined][] = [
  [`v-approle-readonly-${random}-1789430401`, 'approle', 'readonly', 'PostgreSQL'],
  [`v-userpass-readonly-${random}-1789430401`, 'userpass-alice', 'readonly-prod', 'PostgreSQL'],
  [`v-kubernet-app-${random}-1789430401`, 'kubernetes-shop-orders', 'app', 'PostgreSQL'],
  // Ten characters of each, and cut to 32: no time is left.
  ['v-userpass-a-readonly-p-Ff0bLkq2', 'userpass-alice', 'readonly-prod', 'MySQL, MariaDB'],
  // Short names leave all of the random part.
  [`v-token-app-${random}`, 'token', 'app', 'MySQL, MariaDB'],
  [`v_userpass_alice_app_${random.toLowerCase()}_1789430401`, 'userpass-alice', 'app', 'Cassandra, InfluxDB'],
  [`V_USERPASS_APP_${'FF0BLKQ2XUCXTNZR9M1A'}`.slice(0, 30), 'userpass-alice', 'app', 'Oracle'],
  [`v-userpass-alice-app-${random}-1789430401`, 'userpass-alice', 'app', 'MSSQL'],
  // Another role, another display name, another length, characters that no random part has.
  [`v-approle-readonly-${random}-1789430401`, 'approle', 'readwrite', undefined],
  [`v-approle-readonly-${random}-1789430401`, 'userpass-bob', 'readonly', undefined],
  [`v-approle-readonly-${random}x-1789430401`, 'approle', 'readonly', undefined],
  [`v-approle-readonly-${random.slice(0, -1)}!-1789430401`, 'approle', 'readonly', undefined],
  ['postgres', 'approle', 'readonly', undefined],
];

test.each(fit)('%s of %s, %s', (name, display, role, plugins) => {
  const found = fitting(name, display, role);
  if (plugins === undefined) expect(found).toEqual([]);
  else expect(found).toContain(plugins);
});

test('the time in a name', () => {
  expect(madeAt(`v-approle-app-${random}-1789430401`)).toBe(1789430401);
  expect(madeAt('v-userpass-a-readonly-p-Ff0bLkq2')).toBeUndefined();
});
