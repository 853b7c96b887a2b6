// What an output for alerts is.

import type { Alert } from '../../core/alert.ts';

export interface AlertOutput {
  readonly name: string;
  /** Alerts that it already has, when it can tell. */
  readonly known: ReadonlySet<string>;
  /** Whether it is for this output; each is without it. */
  accepts?(alert: Alert): boolean;
  /** `done` when the other side has the alert; `refused` when it never will; `later` when it may. */
  send(alert: Alert): Promise<{ result: 'done' | 'refused' | 'later'; why?: string }>;
}
