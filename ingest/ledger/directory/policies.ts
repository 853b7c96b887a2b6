// ACL policies: their text, where it can be read, and when they were changed.

import { type Answered, type Desk, isDone, type Seen } from './desk.ts';
import { policyIn, textIn } from './values.ts';

/** `sys/policy/NAME` is the older path of the same. */
const POLICY = /^sys\/(?:policies\/acl|policy)\/(.+)$/;
/** Built into Vault, without a text that decides anything. */
const BUILT_IN = new Set(['root', 'response-wrapping']);

export class Policies {
  private readonly desk: Desk;

  constructor(desk: Desk) {
    this.desk = desk;
  }

  call(seen: Seen): void {
    const { caller, issued } = seen.event.vault;
    for (const name of caller.policies ?? []) this.want(seen, name);
    for (const name of issued?.policies ?? []) this.want(seen, name);
    const [, name] = POLICY.exec(seen.path) ?? [];
    // Vault takes names of policies in any case.
    if (name !== undefined && isDone(seen)) this.changed(seen, name.toLowerCase());
  }

  answer(path: string, { cluster, namespace, told, data }: Answered): void {
    const [, key] = POLICY.exec(path) ?? [];
    if (key === undefined) return;
    this.desk.store.tell('policy', { cluster, namespace, key }, data && policyIn(data), told);
  }

  private changed(seen: Seen, key: string): void {
    const { store } = this.desk;
    const { cluster, namespace, told, verb } = seen;
    const subject = { cluster, namespace, key };
    if (verb === 'delete') {
      store.tell('policy', subject, null, told);
      if (seen.mayAsk) this.desk.questions.gone(namespace, pathOf(key), told.at);
    } else if (verb === 'write') {
      const text = textIn(seen.request, 'policy');
      store.tell('policy', subject, text === undefined ? {} : policyIn(seen.request), told);
      if (seen.mayAsk) this.desk.askAnew('policy', subject, pathOf(key), told);
    } else if (verb === 'read' && seen.response !== undefined) {
      const shown = policyIn(seen.response);
      if (shown.text !== undefined) store.tell('policy', subject, shown, told);
    }
  }

  private want({ namespace, told: { at }, mayAsk }: Seen, name: string): void {
    if (mayAsk && !BUILT_IN.has(name)) this.desk.questions.want({ namespace, path: pathOf(name), at });
  }
}

const pathOf = (name: string): string => `sys/policies/acl/${name}`;
