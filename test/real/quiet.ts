// A logger that says nothing.

import type { Logger } from '../../core/telemetry.ts';

const nothing = (): void => {};
export const quiet: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };
