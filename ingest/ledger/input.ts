// What a record of the credentials topic is to the ledger: what it tells, when Vault had done it, and under which id.

import { hash } from 'node:crypto';
import { canonicalJson } from '../../core/canonical.ts';
import { type Answer, type CredentialCall, doneAt, type HashPair, type Kind } from '../../core/records.ts';
import { utcTime } from '../../core/time.ts';
import type { LedgerInput } from './change.ts';

/** Undefined for records that the ledger does not put in order. */
export function inputOf(kind: Kind, value: unknown): LedgerInput | undefined {
  if (kind === 'credential') {
    const { event, handles = {}, onlyFirst = false } = value as CredentialCall;
    return { kind: 'call', done: doneAt(event), id: event.event.id, event, handles, onlyFirst };
  }
  if (kind === 'hashes') {
    const pair = value as HashPair;
    return { kind: 'hashes', done: pair.at, id: pair.id, pair };
  }
  return kind === 'answer' ? ofAnswer(value as Answer) : undefined;
}

/** One whose time is none is nobody's: whoever asked had a clock. */
function ofAnswer(answer: Answer): LedgerInput | undefined {
  const at = utcTime(answer.at);
  if (at === undefined) return undefined;
  return { kind: 'answer', done: at, id: answerId(answer), answer: { ...answer, at } };
}

/** The request id, by which the log has it too; where Vault gave none, what was asked and answered. */
function answerId(answer: Answer): string {
  const id = answer.response?.['request_id'];
  if (typeof id === 'string' && id !== '') return id;
  return `answer-${hash('sha256', canonicalJson(answer), 'hex').slice(0, 32)}`;
}
