// The part of the configuration that says which Vault is asked, and how sealwatch logs in to it. No token and no secret stand in it.

import { z } from 'zod';

const count = (min: number, max: number) => z.coerce.number().int().min(min).max(max);
const path = z.string().min(1).optional();
/** One or two segments, as `ownCalls` knows them. */
const mount = z.string().regex(/^(?!\.\.?(\/|$))[\w.-]+(\/(?!\.\.?$)[\w.-]+)?$/);

const loginSettings = z.strictObject({
  method: z.enum(['approle', 'kubernetes', 'aws', 'jwt', 'cert']).optional(),
  mount: mount.optional().describe('where the auth method is mounted; default its own name'),
  role: z.string().min(1).max(256).optional(),
  roleIdFile: path,
  secretIdFile: path,
  wrappedSecretIdFile: path.describe('file with a wrapping token that the secret id is taken out of'),
  jwtFile: path.describe('file with the token of a service account or of another issuer'),
  certFile: path,
  keyFile: path,
  region: z
    .string()
    .regex(/^[a-z0-9-]+$/)
    .default('us-east-1')
    .describe('AWS region of the STS endpoint'),
  serverId: z.string().min(1).max(256).optional().describe('X-Vault-AWS-IAM-Server-ID'),
});
export type LoginSettings = z.output<typeof loginSettings>;

type Method = NonNullable<LoginSettings['method']>;
type LoginKey = keyof LoginSettings;

/** Keys beside `method` and `mount`: those that a method needs, and those that it may have. */
const keysOf: Record<Method, { needs: LoginKey[]; may: LoginKey[] }> = {
  approle: { needs: ['roleIdFile'], may: ['secretIdFile', 'wrappedSecretIdFile'] },
  kubernetes: { needs: ['role'], may: ['jwtFile'] },
  aws: { needs: [], may: ['role', 'serverId'] },
  jwt: { needs: ['role', 'jwtFile'], may: [] },
  cert: { needs: ['certFile', 'keyFile'], may: ['role'] },
};

function faultsOf(login: LoginSettings): string[] {
  const { method, mount: _, region: _region, ...rest } = login;
  const given = Object.keys(rest).filter((key) => rest[key as keyof typeof rest] !== undefined) as LoginKey[];
  if (method === undefined) return given.map((key) => `${key} needs a method`);
  const { needs, may } = keysOf[method];
  const both = login.secretIdFile !== undefined && login.wrappedSecretIdFile !== undefined;
  return [
    ...needs.filter((key) => login[key] === undefined).map((key) => `${method} needs ${key}`),
    ...given
      .filter((key) => !needs.includes(key) && !may.includes(key))
      .map((key) => `${method} has no ${key}`),
    ...(both ? ['secretIdFile and wrappedSecretIdFile exclude each other'] : []),
  ];
}

export const vaultSettings = z
  .strictObject({
    address: z
      .url({ protocol: /^https?$/ })
      .refine((address) => !/^https?:\/\/[^/]*@/.test(address), 'no user and no password in the address')
      .optional(),
    namespace: z
      .string()
      .regex(/^[\w.-]+(\/[\w.-]+)*\/?$/)
      .optional()
      .describe('namespace that sealwatch logs in to'),
    tokenFile: path.describe('a token that Vault Agent keeps fresh, instead of a login'),
    caFile: path,
    login: loginSettings
      .prefault({})
      .superRefine((login, context) => {
        for (const message of faultsOf(login)) context.addIssue({ code: 'custom', message });
      })
      .describe('how sealwatch gets a token of its own'),
    heartbeatSeconds: count(1, 3600).default(60).describe('time between two look-ups'),
    budgetPercent: z.coerce
      .number()
      .min(0)
      .max(50)
      .default(2)
      .describe('lines that own questions may make, in percent of the lines received'),
    budgetCalls: count(0, 100_000)
      .default(100)
      .describe('questions that may be asked before lines have earned them'),
    secretPollSeconds: count(1, 86_400)
      .default(60)
      .describe('how often an own secret in Vault is looked at for a new version'),
  })
  .superRefine(({ address, tokenFile, login }, context) => {
    const ways = [tokenFile, login.method].filter((way) => way !== undefined).length;
    if (address === undefined ? ways > 0 : ways !== 1)
      context.addIssue({
        code: 'custom',
        message: 'address and one of tokenFile and login.method belong together',
      });
    if (login.method === 'cert' && address?.startsWith('http:'))
      context.addIssue({ code: 'custom', message: 'cert needs an https address: it is TLS that shows it' });
  });
export type VaultSettings = z.output<typeof vaultSettings>;
