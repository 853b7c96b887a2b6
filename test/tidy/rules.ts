// The shape that the project keeps, as rules over its source files; each message says what to do instead.

import { builtinModules } from 'node:module';
import { functionsOf, importsOf, importTarget, type Source } from './source.ts';

export interface Rule {
  name: string;
  /** Faults of one file, empty if it keeps the rule. */
  find(file: Source): string[];
}

/** Folders that import themselves and core/ only. main.ts, commands/ and test/ join them. */
export const stages = [
  'ingest/collector',
  'ingest/normalise',
  'ingest/ledger',
  'detectors',
  'storage',
  'vault',
  'outputs',
  'api',
  'dashboards',
] as const;
const joining = ['main.ts', 'commands', 'test'];
const pureFolders = ['ingest/normalise/', 'ingest/ledger/', 'detectors/engine/', 'detectors/behaviours/'];

/** The stage of a path, `core`, or undefined for what may import everything. */
export function stageOf(path: string): string | undefined {
  if (path.startsWith('core/')) return 'core';
  return stages.find((stage) => path.startsWith(`${stage}/`));
}

const lawOfImports: Rule = {
  name: 'a stage imports itself and core/ only',
  find(file) {
    const stage = stageOf(file.path);
    if (stage === undefined) return [];
    return importsOf(file).flatMap((specifier) => {
      const target = importTarget(file.path, specifier);
      if (target === undefined || target.startsWith('core/') || stageOf(target) === stage) return [];
      return [`imports ${target}: give it a port in core/ and let main.ts or commands/ join the two`];
    });
  },
};

const placeOnMap: Rule = {
  name: 'every source file lies on the map of docs/architecture.md',
  find({ path }) {
    const top = path.split('/')[0] ?? '';
    const known =
      stageOf(path) !== undefined || joining.includes(top) || top === '.ci' || path === 'vitest.config.ts';
    return known ? [] : ['lies outside the map: move it to the stage that it belongs to'];
  },
};

/** Packages that one file of the product imports, so that another can take their place. */
const inOnePlace: Record<string, string> = { kafkajs: 'storage/stream/kafka/kafkajs.ts' };

const onePlace: Rule = {
  name: 'a client is imported in one file',
  find(file) {
    if (file.path.startsWith('test/')) return [];
    return importsOf(file).flatMap((specifier) => {
      const place = inOnePlace[specifier.split('/')[0] ?? ''];
      return place === undefined || place === file.path ? [] : [`imports ${specifier}: only ${place} may`];
    });
  },
};

const impure: [RegExp, string][] = [
  [
    /\bDate\.now\b|\bnew Date\(\s*\)|\bperformance\.now\b/,
    'reads a clock: take the time from the record or the watermark',
  ],
  [/\bMath\.random\b|\brandomUUID\b|\brandomBytes\b/, 'is random: derive ids from content'],
  [/\bprocess\b/, 'reads the process: take what is needed as an argument'],
  [/\bset(Timeout|Interval|Immediate)\(/, 'waits: time moves by the watermark here'],
  [/\bfetch\(|\bconsole\./, 'does I/O: return the value and let the stage around it act'],
];

const pure: Rule = {
  name: 'normalise, ledger, engine and behaviours are pure',
  find(file) {
    if (!pureFolders.some((folder) => file.path.startsWith(folder))) return [];
    const modules = importsOf(file)
      .filter((specifier) => specifier.startsWith('node:') || builtinModules.includes(specifier))
      .filter((specifier) => specifier !== 'node:crypto')
      .map(
        (specifier) =>
          `imports ${specifier}: only node:crypto is allowed here; do I/O in the stage around it`,
      );
    return [...modules, ...impure.flatMap(([pattern, advice]) => (pattern.test(file.code) ? [advice] : []))];
  },
};

const fileLength: Rule = {
  name: 'files are short',
  find({ path, text }) {
    const max = path.startsWith('test/') ? 600 : 400;
    const lines = text.split('\n').length - 1;
    return lines > max ? [`has ${lines} lines, at most ${max}: split it by idea`] : [];
  },
};

const functionLength: Rule = {
  name: 'functions fit on a screen',
  find: (file) =>
    functionsOf(file)
      .filter(({ lines }) => lines > 70)
      .map(({ line, lines }) => `line ${line}: the function has ${lines} lines, at most 70: name its parts`),
};

const firstLine: Rule = {
  name: 'the first line says what the file is for',
  find({ text }) {
    const lines = text.split('\n');
    const first = lines[0]?.startsWith('#!') ? lines[1] : lines[0];
    return first?.startsWith('// ')
      ? []
      : ['begin with a comment of one line that says what the file is for'];
  },
};

/** Words that code must not have, where, and what to do instead. */
const banned: [name: string, pattern: RegExp, allowed: (path: string) => boolean, advice: string][] = [
  ['no default exports', /\bexport default\b/, (path) => path === 'vitest.config.ts', 'export it by name'],
  ['no any', /:\s*any\b|\bas any\b|<any>|\bany\[\]/, () => false, 'use unknown and check, or name the type'],
  [
    'no console.log outside commands/ and test/',
    /\bconsole\.log\b/,
    (path) => /^(commands|test|\.ci)\//.test(path),
    'use the logger or an event of core/telemetry.ts',
  ],
  [
    'no test is left out',
    /\b(it|test|describe|suite)\s*\.\s*(skip|only|todo|skipIf|runIf)\b/,
    () => false,
    'mend the test or delete it',
  ],
];

const bannedRules: Rule[] = banned.map(([name, pattern, allowed, advice]) => ({
  name,
  find: ({ path, code }) => (pattern.test(code) && !allowed(path) ? [advice] : []),
}));

const noReminders: Rule = {
  name: 'no reminders in the code',
  // Written in two halves, so that this file keeps its own rule.
  find: ({ text }) =>
    new RegExp(`\\b(${'TO'}DO|${'FIX'}ME|${'XX'}X)\\b`).test(text)
      ? ['do it now, or say why not in docs/']
      : [],
};

const noUtils: Rule = {
  name: 'no file is called utils',
  find: ({ path }) =>
    /(^|\/)(utils?|helpers?|misc)(\.|\/)/.test(path) ? ['name it for the one idea in it'] : [],
};

export const rules: Rule[] = [
  lawOfImports,
  onePlace,
  placeOnMap,
  pure,
  fileLength,
  functionLength,
  firstLine,
  ...bannedRules,
  noReminders,
  noUtils,
];

export const faultsOf = (file: Source): string[] =>
  rules.flatMap((rule) => rule.find(file).map((fault) => `${file.path}: ${fault} (${rule.name})`));
