// The errors a user can meet: code, exit code. docs/errors.md says what to do for each; a test keeps both equal.

export const errorCodes = {
  CONFIG_UNREADABLE: 2,
  CONFIG_INVALID: 2,
  USAGE: 2,
  PORT_TAKEN: 1,
  LISTEN_FAILED: 1,
  DATA_DIR_LOCKED: 1,
  DATA_DIR_UNUSABLE: 1,
  DATA_DIR_OTHER_LAYOUT: 1,
  STREAM_BEHIND_STORE: 1,
  ELASTICSEARCH_UNREACHABLE: 1,
  ELASTICSEARCH_DENIED: 1,
  ELASTICSEARCH_UNUSABLE: 1,
  INPUT_UNREADABLE: 2,
  ANSWERS_INVALID: 2,
  OUTPUT_UNWRITABLE: 1,
  RULE_INVALID: 2,
  LISTS_INVALID: 2,
  RULE_CASES_FAILED: 1,
  KAFKA_UNREACHABLE: 1,
  KAFKA_REFUSED: 1,
  KAFKA_TOPICS_WRONG: 1,
  DOCTOR_FOUND_FAULTS: 1,
  INTERNAL: 1,
} as const;

export type ErrorCode = keyof typeof errorCodes;

/** A fault the user can mend. `message` says the cause, `advice` what to do. */
export class SealwatchError extends Error {
  override readonly name = 'SealwatchError';
  readonly code: ErrorCode;
  readonly advice: string;

  constructor(code: ErrorCode, message: string, advice: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
    this.advice = advice;
  }

  /** The one line that the command line shows. */
  get line(): string {
    return `${this.code}: ${this.message}. ${this.advice}`.replace(/\s*\n\s*/g, ' ');
  }

  get exitCode(): number {
    return errorCodes[this.code];
  }
}

/** The system's error code (`EADDRINUSE`) of anything thrown, if it has one. */
export function systemCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : undefined;
}

/** What the system says when a disk or its rights are the cause, and not sealwatch. */
const diskCodes = new Set([
  'ENOSPC',
  'EDQUOT',
  'EFBIG',
  'EROFS',
  'EACCES',
  'EPERM',
  'EIO',
  'ENOTDIR',
  'EMFILE',
  'ENFILE',
]);

/** An error of the disk in the data folder as one that the user can mend; any other as it is. */
export function mendable(error: unknown, dataDir: string): unknown {
  const code = systemCode(error);
  if (error instanceof SealwatchError || code === undefined || !diskCodes.has(code)) return error;
  return new SealwatchError(
    'DATA_DIR_UNUSABLE',
    `cannot use the data folder ${dataDir} (${(error as Error).message})`,
    'Check free space, owner and rights, and that it is not mounted read-only; nothing is lost.',
    { cause: error },
  );
}
