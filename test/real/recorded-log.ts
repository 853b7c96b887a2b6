// A logger that a test asks afterwards what was told.

import type { Logger } from '../../core/telemetry.ts';

export class RecordedLog implements Logger {
  readonly warnings: { fields: object; message: string }[] = [];
  debug(): void {}
  info(): void {}
  warn(fields: object, message: string): void {
    this.warnings.push({ fields, message });
  }
  error(fields: object, message: string): void {
    this.warnings.push({ fields, message });
  }
}
