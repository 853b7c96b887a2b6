// A client of Vault that answers as it is told, without a network: what is under test decides when to call, not a socket.

import type { JsonObject } from '../../core/event.ts';
import type { Logger } from '../../core/telemetry.ts';
import type { VaultAnswer, VaultCall } from '../../vault/client.ts';

/** An answer of Vault; `retryMs` as if it had sent `Retry-After`. */
export const answered = (status: number, body?: JsonObject, retryMs?: number): VaultAnswer => ({
  status,
  body,
  dateMs: undefined,
  fault: status === 204 || (status === 200 && body !== undefined) ? undefined : `status_${status}`,
  ...(retryMs !== undefined && { retryMs }),
});
export const away: VaultAnswer = { status: 0, body: undefined, dateMs: undefined, fault: 'ECONNREFUSED' };

/** What a login or a renewal answers. */
export const given = (token: string, ttl: number, renewable = true): VaultAnswer =>
  answered(200, {
    request_id: `id-of-${token}`,
    auth: { client_token: token, accessor: `a-${token}`, lease_duration: ttl, renewable },
  });

export class ScriptedClient {
  readonly asked: VaultCall[] = [];
  private readonly script: (call: VaultCall) => VaultAnswer | undefined;

  /** What `script` has no answer for is a Vault that is away. */
  constructor(script: (call: VaultCall) => VaultAnswer | undefined) {
    this.script = script;
  }

  async call(call: VaultCall): Promise<VaultAnswer> {
    this.asked.push(call);
    return this.script(call) ?? away;
  }
}

/** Answers one after the other, whatever is asked. */
export function inTurn(...answers: VaultAnswer[]): ScriptedClient {
  return new ScriptedClient(() => answers.shift());
}

export function logOf(): { lines: string[]; logger: Logger } {
  const lines: string[] = [];
  const say = (fields: object, message: string) => void lines.push(JSON.stringify([fields, message]));
  return { lines, logger: { debug: say, info: say, warn: say, error: say } };
}
