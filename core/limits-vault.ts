// Bounds of what sealwatch asks Vault, and of the look-ups by which it knows that the log still comes. Part of `limits`.

const KiB = 1024;
const MiB = 1024 * KiB;

export const vaultLimits = {
  /** An answer of Vault about one thing: a token, a lease, a login. */
  vaultAnswerBytesMax: 64 * KiB,
  /** An answer that lists: all mounts, the members of a group, a policy. */
  vaultListBytesMax: 8 * MiB,
  /** Time for one call of Vault, redirects among it. */
  vaultCallMs: 10_000,
  /** Questions to Vault that may be saved up, whatever number of lines was received. */
  vaultBudgetHeldMax: 10_000,
  /** Redirects that one call of Vault follows: a standby names the active node. */
  vaultRedirectsMax: 3,
  /** Waits for a Vault that does not answer double from the first to the second; a part of each is by chance. */
  vaultBackoffMsMin: 1_000,
  vaultBackoffMsMax: 60_000,
  /** Longest that Vault's `Retry-After` is obeyed: a proxy's mistake must not silence sealwatch for days. */
  vaultRetryAfterMsMax: 600_000,
  /** Least and most time between two looks at the own token. */
  vaultTokenStepMsMin: 1_000,
  vaultTokenStepMsMax: 3_600_000,
  /** How often a token file is looked at for a new token. */
  vaultTokenFileMs: 5_000,
  /** Time that an orderly stop gives Vault to revoke the own token. */
  vaultRevokeMs: 2_000,
  /** Questions of the ledger that wait to be asked; past it the least needed and oldest is dropped and counted. */
  vaultQuestionsMax: 10_000,
  /** How often a question is asked that Vault answers with an error of its own. */
  vaultTriesMax: 3,
  /** How often it is looked whether more lines have earned another question. */
  vaultBudgetMs: 1_000,
  /** What was denied is not asked for again before this time. */
  vaultDeniedMs: 600_000,
  /** Kinds of path that are remembered as denied. */
  vaultDeniedMax: 1_000,
  /** Texts that are kept of one list of an answer: members of a group, policies. */
  vaultKeptListMax: 10_000,
  /** Characters kept of one text of an answer: the text of a policy. */
  vaultKeptTextCharsMax: 64 * KiB,
  /** How long after its last line may come a look-up is judged, so that the time of an answer and of a line may differ. */
  heartbeatMarginSeconds: 10,
  /** Look-ups of one partition, of anybody, that are remembered for an answer that is still to come. */
  heartbeatCallsMax: 1_000,
  /** Look-ups of one partition that wait to be judged: a file that is read from far behind holds them up. */
  heartbeatsWaitingMax: 1_000,
} as const;
