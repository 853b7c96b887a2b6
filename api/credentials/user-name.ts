// Vault's default names of database users: which lease could one come from. Templates: the database plugins' sources, Vault 1.13 on.

interface Template {
  /** Plugins that use it. */
  plugins: string;
  head: string;
  separator: string;
  /** Characters kept of the display name and of the role. */
  display: number;
  role: number;
  /** The name is cut to this many characters. */
  length: number;
  /** What is done to the name as a whole. */
  change: (name: string) => string;
}

const same = (name: string) => name;
const dashes = (name: string) => name.replaceAll('.', '-');
const lowerUnder = (name: string) => name.replaceAll('-', '_').toLowerCase();
const upperUnder = (name: string) => name.replaceAll('-', '_').toUpperCase();

/** `v-DISPLAY-ROLE-` and 20 random characters, the separator, and the time in seconds since 1970. */
const templates: Template[] = [
  { plugins: 'PostgreSQL', head: 'v', separator: '-', display: 8, role: 8, length: 63, change: same },
  {
    plugins: 'Redshift',
    head: 'v',
    separator: '-',
    display: 8,
    role: 8,
    length: 63,
    change: (name) => name.toLowerCase(),
  },
  { plugins: 'MySQL, MariaDB', head: 'v', separator: '-', display: 10, role: 10, length: 32, change: same },
  { plugins: 'MSSQL', head: 'v', separator: '-', display: 20, role: 20, length: 128, change: same },
  { plugins: 'MongoDB', head: 'v', separator: '-', display: 15, role: 15, length: 100, change: dashes },
  {
    plugins: 'Cassandra, InfluxDB',
    head: 'v',
    separator: '_',
    display: 15,
    role: 15,
    length: 100,
    change: lowerUnder,
  },
  { plugins: 'HANA', head: 'v', separator: '_', display: 32, role: 20, length: 127, change: upperUnder },
  {
    plugins: 'Snowflake',
    head: 'v',
    separator: '_',
    display: 32,
    role: 32,
    length: 255,
    change: (name) => name.replaceAll('-', '_'),
  },
  {
    plugins: 'Oracle',
    head: 'V',
    separator: '_',
    display: 8,
    role: 8,
    length: 30,
    change: (name) => upperUnder(dashes(name)),
  },
  {
    plugins: 'Couchbase, Redis',
    head: 'V',
    separator: '_',
    display: 64,
    role: 64,
    length: 128,
    change: (name) => name.toUpperCase(),
  },
];

const RANDOM_CHARS = 20;
const TIME_CHARS = 10;
const TIME_AT_END = /[-_](\d{10})$/;

/** When the name was made, in seconds since 1970; undefined when it does not end so, as most of MySQL's and Oracle's. */
export function madeAt(name: string): number | undefined {
  const seconds = TIME_AT_END.exec(name)?.[1];
  return seconds === undefined ? undefined : Number(seconds);
}

/** The plugins whose default name for this display name and role the name can be. */
export const fitting = (name: string, displayName: string, role: string): string[] =>
  templates.filter((template) => fits(name, template, displayName, role)).map(({ plugins }) => plugins);

function fits(name: string, template: Template, displayName: string, role: string): boolean {
  const { head, separator, display, role: roleChars, length, change } = template;
  const parts = [head, displayName.slice(0, display), role.slice(0, roleChars), ''];
  const fixed = change(parts.join(separator)).slice(0, length);
  const whole = fixed.length + RANDOM_CHARS + 1 + TIME_CHARS;
  if (name.length !== Math.min(whole, length) || !name.startsWith(fixed)) return false;
  const random = name.slice(fixed.length, fixed.length + RANDOM_CHARS);
  return /^[A-Za-z0-9]+$/.test(random) && change(random) === random;
}
