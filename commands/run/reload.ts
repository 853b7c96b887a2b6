// Hot reload: the rules folder and the lists file are looked at while sealwatch runs. What is valid is taken over as a whole and its
// changes are recorded; what is not leaves all as it was, and is said.

import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { SealwatchError } from '../../core/errors.ts';
import type { Change } from '../../core/records.ts';
import type { Logger, Metrics } from '../../core/telemetry.ts';
import { timeOfMs } from '../../core/time.ts';
import { type Loaded, load, type RuleSource } from '../rules/load.ts';
import { ruleFiles } from '../rules/read.ts';
import type { ChangeRecord } from './changes.ts';

export interface ReloadOptions {
  source: RuleSource;
  /** Takes them over between two steps; resolves when they judge. */
  apply: (loaded: Loaded) => void | Promise<void>;
  /** Where changes are recorded; undefined while another process does it. */
  changes: () => ChangeRecord | undefined;
  logger: Logger;
  now: () => number;
}

/** How often the files are looked at. */
const LOOK_MS = 2_000;

export class Reload implements AsyncDisposable {
  private readonly options: ReloadOptions;
  private readonly timer: NodeJS.Timeout;
  /** What the files were when they were last loaded, or refused. */
  private seen: Look;
  /** What they were when they were last looked at: a file that is being written is left alone. */
  private last: Look;
  private inForce: Loaded;
  /** Who has recorded what is in force. */
  private recordedBy: ChangeRecord | undefined;
  private working: Promise<void> = Promise.resolve();
  private isInvalid = false;
  private reloads = 0;

  /** `loaded` is in force, and came from the files as `look` saw them before. */
  constructor(options: ReloadOptions, loaded: Loaded, look: Look) {
    this.options = options;
    this.inForce = loaded;
    this.seen = this.last = look;
    sayNotes(loaded, options.logger);
    this.timer = setInterval(() => void this.check(), LOOK_MS);
    this.timer.unref();
  }

  /** Looks at the files. One look at a time; never rejects. `now`: also at files that were changed just now. */
  check({ now = false } = {}): Promise<void> {
    this.working = this.working.then(() => this.look(now)).then(() => this.record());
    return this.working;
  }

  private async look(now: boolean): Promise<void> {
    const { source, logger, apply } = this.options;
    try {
      const look = lookAt(source, this.last);
      const isStill = look.files === this.last.files;
      this.last = look;
      if (look.content === this.seen.content || !(isStill || now)) return;
      // First, so that one set of files is refused and said once.
      this.seen = look;
      const loaded = load(source);
      await apply(loaded);
      sayNotes(loaded, logger);
      this.inForce = loaded;
      this.recordedBy = undefined;
      this.isInvalid = false;
      this.reloads++;
    } catch (error) {
      this.isInvalid = true;
      const said = error instanceof SealwatchError ? error.line : String(error);
      logger.error({ error: said }, 'the changed rules are not taken over: those before stay in force');
    }
  }

  /** What the disk refuses is tried again at the next look. */
  private async record(): Promise<void> {
    const { logger, now } = this.options;
    const changes = this.options.changes();
    if (changes === undefined || changes === this.recordedBy) return;
    try {
      const isFirst = changes.isEmpty;
      const made = await changes.record(this.inForce.inForce, timeOfMs(now()));
      this.recordedBy = changes;
      if (made.length > 0 && !isFirst)
        logger.info({ changes: shortly(made) }, 'rules and lists are in force');
    } catch (error) {
      logger.warn({ error: String(error) }, 'changes of rules cannot be recorded; trying again');
    }
  }

  metrics(): Metrics {
    return {
      sealwatch_rules_invalid: this.isInvalid ? 1 : 0,
      sealwatch_rules_reloads_total: this.reloads,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.timer);
    await this.working;
  }
}

/** What is not wrong in rules but most likely not meant; the first of it. */
function sayNotes({ notes }: Loaded, logger: Logger): void {
  if (notes.length === 0) return;
  const shown = notes.slice(0, SHOWN_MAX);
  logger.warn(
    { notes: shown, of: notes.length },
    'rules are read, with notes: `sealwatch rules list` shows all',
  );
}

/** The first of them in words. */
function shortly(changes: readonly Change[]): string[] {
  const words = changes.slice(0, SHOWN_MAX).map(({ what, key, before, after }) => {
    const did = before === undefined ? 'added' : after === undefined ? 'removed' : 'changed';
    const title = (after ?? before)?.['title'];
    return `${did} ${what} ${key}${typeof title === 'string' ? ` (${title})` : ''}`;
  });
  return changes.length > SHOWN_MAX ? [...words, `and ${changes.length - SHOWN_MAX} more`] : words;
}

const SHOWN_MAX = 10;

export interface Look {
  /** Names, sizes and times of the files: while they are the same nothing is read. */
  files: string;
  /** Hash of what is in them. */
  content: string;
}

/** What the files are now. A file that cannot be read is content as well: it is said once. */
export function lookAt({ dir, lists }: RuleSource, before?: Look): Look {
  const paths = [...(dir === undefined ? [] : pathsIn(dir)), ...(lists === undefined ? [] : [lists])];
  const files = paths.map((path) => `${path} ${stampOf(path)}`).join('\n');
  if (before !== undefined && files === before.files) return before;
  const hash = createHash('sha256');
  for (const path of paths) hash.update(`${path}\n`).update(contentOf(path));
  return { files, content: hash.digest('hex') };
}

function pathsIn(dir: string): string[] {
  try {
    return ruleFiles(dir);
  } catch {
    return [`${dir} cannot be read`];
  }
}

function stampOf(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined ? 'gone' : `${found.size} ${found.mtimeMs} ${found.ctimeMs} ${found.ino}`;
}

function contentOf(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    return Buffer.from(String(error));
  }
}
