// Lifetimes as people write them in roles, tokens and renewals. Vault hashes them in requests (vault-audit.md 2); whoever knows the
// hashes of the usual ones reads most of them. Only fields of sys, auth and role paths are ever compared with these.

/** Asked for in this order: a budget that ends leaves out the rarest. 0 means the default of the mount. */
export const words: readonly string[] = [
  ...['1h', '24h', '768h', '0', '30m', '15m', '10m', '5m', '1m', '2h', '4h', '8h', '12h', '3600', '86400'],
  ...['900', '600', '300', '1800', '7200', '14400', '28800', '43200', '60', '2764800', '20m', '45m', '6h'],
  ...['48h', '72h', '168h', '720h', '60m', '90m', '120m', '2m', '3m', '30s', '60s', '90s', '120s', '300s'],
  ...['600s', '900s', '1800s', '3600s', '7200s', '86400s', '2592000', '604800', '172800', '259200', '120'],
  ...['1200', '2700', '30', '1d', '7d', '30d', '32d', '90d', '365d', '2160h', '4320h', '8760h', '1440h'],
  ...['21600', '5400', '10800', '3h', '16h', '1h0m0s', '24h0m0s', '768h0m0s', '31536000'],
];
const all = new Set(words);

export const isWord = (text: string): boolean => all.has(text);

const UNITS = new Map([
  ['s', 1],
  ['m', 60],
  ['h', 3600],
  ['d', 86_400],
]);
const DURATION = /^(?:\d+[smhd])+$/;

/** Seconds that a lifetime stands for: `3600`, `1h`, `1h30m`, `7d`; undefined when it is not one. */
export function secondsOf(text: string): number | undefined {
  if (/^\d{1,10}$/.test(text)) return Number(text);
  if (text.length > DURATION_CHARS_MAX || !DURATION.test(text)) return undefined;
  let seconds = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)([smhd])/g))
    seconds += Number(count) * (UNITS.get(unit as string) as number);
  return seconds <= SECONDS_MAX ? seconds : undefined;
}

const DURATION_CHARS_MAX = 32;
/** Over 300 years is no lifetime, and its end would be no date. */
const SECONDS_MAX = 10 ** 10;
