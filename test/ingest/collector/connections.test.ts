// Room for connections: one peer cannot take it all, who never finished a line makes room, a Vault is never closed.

import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { limits } from '../../../core/limits.ts';
import { Connections } from '../../../ingest/collector/connections.ts';
import { OpenInput, until } from './inputs.ts';

/** Stands for a connection from an address that a test host does not have. */
class FakeSocket extends EventEmitter {
  isClosed = false;

  destroy(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    queueMicrotask(() => this.emit('close'));
  }
}

function listenerRoom() {
  let refused = 0;
  const connections = new Connections(() => refused++);
  const dial = (peer: string) => {
    const socket = new FakeSocket();
    const place = connections.admit(socket as unknown as Socket, peer);
    return { socket, place };
  };
  return { connections, dial, refused: () => refused };
}

const many = limits.connectionsPerPeerMax;

describe('one peer', () => {
  test('has its own number of connections; past it the one that was silent longest makes room', () => {
    const { connections, dial, refused } = listenerRoom();
    const open = Array.from({ length: many }, () => dial('10.0.0.1'));
    open[0]?.place?.heard();
    const newest = dial('10.0.0.1');
    expect(open.map(({ socket }) => socket.isClosed)).toEqual(open.map((_, i) => i === 1));
    expect([newest.socket.isClosed, connections.size, refused()]).toEqual([false, many, 1]);
  });

  test('that has sent whole lines on all of them keeps them, and a further one is refused', () => {
    const { connections, dial, refused } = listenerRoom();
    const open = Array.from({ length: many }, () => dial('10.0.0.1'));
    for (const { place } of open) place?.proven();
    const further = dial('10.0.0.1');
    expect([further.socket.isClosed, further.place, refused()]).toEqual([true, undefined, 1]);
    expect(open.some(({ socket }) => socket.isClosed)).toBe(false);
    expect(dial('10.0.0.2').place).toBeDefined();
    expect(connections.size).toBe(many + 1);
  });

  test('does not take the place of another peer', () => {
    const { dial } = listenerRoom();
    const other = dial('10.0.0.2');
    for (let i = 0; i < 10 * many; i++) dial('10.0.0.1');
    expect(other.socket.isClosed).toBe(false);
  });
});

test('many peers together: the listener is bounded, a Vault stays, a new one finds room', () => {
  const { connections, dial, refused } = listenerRoom();
  const vault = dial('10.0.0.1');
  vault.place?.heard();
  vault.place?.proven();
  for (let i = 0; i < 10_000; i++) dial(`10.1.${i >> 8}.${i & 255}`);
  expect(connections.size).toBe(limits.connectionsMax);
  expect(refused()).toBe(10_000 - limits.connectionsMax + 1);
  const next = dial('10.0.0.2');
  expect([vault.socket.isClosed, next.socket.isClosed]).toEqual([false, false]);
});

test('who leaves gives its room back, once', async () => {
  const { connections, dial, refused } = listenerRoom();
  for (let round = 0; round < 3; round++) {
    const open = Array.from({ length: many }, () => dial('10.0.0.1'));
    // The first makes room for one more, and then closes like the others.
    open.push(dial('10.0.0.1'));
    for (const { socket } of open) socket.destroy();
    await new Promise((resolve) => setImmediate(resolve));
    expect(connections.size).toBe(0);
  }
  expect(refused()).toBe(3);
});

test('10,000 connections that never finish a line hold up nobody, and cost the room of one listener', async () => {
  await using input = await OpenInput.open({ type: 'tcp' });
  const vault = await input.dial();
  vault.write('first\n');
  await until(() => expect(input.lines).toEqual(['first']));
  let open = 0;
  let most = 0;
  const expected = ['first'];
  for (let i = 1; i <= 10_000; i++) {
    const socket = await input.dial();
    open++;
    socket.on('close', () => open--);
    socket.write('never ends');
    most = Math.max(most, open);
    if (i % 1000 !== 0) continue;
    // A Vault that was there before, and one that comes now.
    vault.write(`old ${i}\n`);
    const next = await input.dial();
    next.end(`new ${i}\n`);
    expected.push(`old ${i}`, `new ${i}`);
    await until(() => expect([...input.lines].sort()).toEqual([...expected].sort()));
    expect(input.budget.used).toBeLessThanOrEqual(limits.connectionsMax * 'never ends'.length);
  }
  expect(vault.closed).toBe(false);
  expect(input.count('refused')).toBeGreaterThanOrEqual(10_000 - limits.connectionsMax);
  // What the sender still holds open may be closed already at this side; it cannot be many more.
  expect(most).toBeLessThan(2 * limits.connectionsMax);
  await until(() => expect(open).toBeLessThan(limits.connectionsMax));
  vault.destroy();
}, 120_000);
