// What a check of `doctor` found, and what to do about it.

export interface Finding {
  state: 'ok' | 'warn' | 'fail';
  what: string;
  todo?: string;
}

export const ok = (what: string): Finding => ({ state: 'ok', what });
export const warn = (what: string, todo: string): Finding => ({ state: 'warn', what, todo });
export const fail = (what: string, todo: string): Finding => ({ state: 'fail', what, todo });
