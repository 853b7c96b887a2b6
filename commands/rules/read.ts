// Reads rule files and the lists file from disk, each with who owns it and what it says of why it was changed.

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SealwatchError } from '../../core/errors.ts';
import { type ParsedRule, parseRuleFile, type ReadOptions } from '../../detectors/engine/sigma.ts';

/** Beside this file in the sources and in dist/ alike: the build copies the folder. */
export const builtInDir = fileURLToPath(new URL('../../detectors/rules/', import.meta.url));

/** A file of rules as it was read. */
export interface RuleFile {
  file: string;
  rules: ParsedRule[];
  /** The comment `# why: ...`; the first of the file holds. */
  why?: string;
}

/** The files of a folder, or the file `path` itself. Throws SealwatchError INPUT_UNREADABLE or RULE_INVALID. */
export function readRuleFiles(path: string, options: ReadOptions): RuleFile[] {
  const isFile = statSync(path, { throwIfNoEntry: false })?.isFile() === true;
  return (isFile ? [path] : ruleFiles(path)).map((file) => {
    const text = readText(file);
    const why = /^#\s*why:\s*(\S.*?)\s*$/m.exec(text)?.[1]?.slice(0, WHY_CHARS_MAX);
    return { file, rules: parseRuleFile(text, file, options), ...(why === undefined ? {} : { why }) };
  });
}

const WHY_CHARS_MAX = 1000;

/** Paths of the rule files in `dir`, sorted; folders in it are not looked into. */
export function ruleFiles(dir: string): string[] {
  try {
    const names = readdirSync(dir).filter((name) => /\.ya?ml$/.test(name));
    return names.sort().map((name) => join(dir, name));
  } catch (cause) {
    throw new SealwatchError(
      'INPUT_UNREADABLE',
      `cannot read the rules folder ${dir}`,
      'Check that it is there',
      {
        cause,
      },
    );
  }
}

export function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new SealwatchError('INPUT_UNREADABLE', `cannot read ${file}`, 'Check that it may be read', {
      cause,
    });
  }
}

/** Name of the user of the operating system who owns `file`, `uid 1000` for one without a name; undefined when it is gone. */
export function ownerOf(file: string): string | undefined {
  const uid = statSync(file, { throwIfNoEntry: false })?.uid;
  if (uid === undefined) return undefined;
  const own = userInfo();
  if (own.uid === uid) return own.username;
  return nameInPasswd(uid) ?? `uid ${uid}`;
}

/** Users that only a directory service knows stay numbers. */
function nameInPasswd(uid: number): string | undefined {
  try {
    const line = readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .find((one) => one.split(':')[2] === String(uid));
    return line?.split(':')[0];
  } catch {
    return undefined;
  }
}

/** `file` as people know it: its name alone when it came with sealwatch. */
export const shownFile = (file: string): string => (file.startsWith(builtInDir) ? basename(file) : file);
