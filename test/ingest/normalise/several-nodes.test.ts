// Several nodes of one cluster: calls that one node passes on to another, and the nodes that are heard of.
// Vault's performance standbys exist in Vault Enterprise only: those lines are from the source, not run (vault-audit.md 1, 7.7).

import { describe, expect, it } from 'vitest';
import { devicesOf, type Input } from '../../../core/devices.ts';
import { limits } from '../../../core/limits.ts';
import { addSeconds } from '../../../core/time.ts';
import { callOf, type EntryLine, theEvent, withTop } from './lines.ts';
import { device, Several } from './several.ts';

const call = callOf('kv-v2', 2);
const forwarded = withTop(call, { forwarded_from: '10.0.0.7:8201' }) as [EntryLine, EntryLine];
const later = (entries: EntryLine[], seconds: number) =>
  entries.map((entry) => ({ ...entry, time: addSeconds(entry.time, seconds) }));

describe('forwarded_from', () => {
  it('of both lines, as Vault 1.17 writes it, or of the request alone, as Vault 1.14 does', () => {
    expect(theEvent(forwarded).vault.forwarded_from).toBe('10.0.0.7:8201');
    expect(theEvent([forwarded[0], { ...call[1], forwarded: true } as EntryLine]).vault).toMatchObject({
      forwarded_from: '10.0.0.7:8201',
      unknown: undefined,
    });
    expect(theEvent(call).vault.forwarded_from).toBeUndefined();
  });
});

describe('one call on two nodes of one device', () => {
  const lines: [EntryLine, string][] = [
    ...call.map((entry): [EntryLine, string] => [entry, 'a-standby']),
    ...later(forwarded, 0.001).map((entry): [EntryLine, string] => [entry, 'b-active']),
  ];
  const orders = [
    [0, 1, 2, 3],
    [2, 3, 0, 1],
    [0, 2, 3, 1],
    [3, 2, 1, 0],
  ];

  it.each(orders)('is one event of the node that did the work, in the order %j %j %j %j', (...order) => {
    const run = new Several({ devices: [device('file', { hasManyNodes: true })] });
    for (const i of order) {
      const [entry, node] = lines[i] as [EntryLine, string];
      run.line('file', entry, node);
    }
    run.tick(addSeconds(call[0].time, 10));
    expect(run.versions).toHaveLength(1);
    expect(run.versions[0]?.vault).toMatchObject({
      nodes: ['a-standby', 'b-active'],
      devices: ['file'],
      forwarded_from: '10.0.0.7:8201',
      pair: 'both',
    });
    expect(run.counts['file']).toMatchObject({ received: 4, paired: 1, duplicate: 0, gaps: 0 });
  });

  it('a device of one node goes out at once, one of several waits for the others', () => {
    const one = new Several({ devices: [device('file')] });
    const many = new Several({ devices: [device('file', { hasManyNodes: true })] });
    for (const run of [one, many]) for (const entry of call) run.line('file', entry, 'n1');
    expect([one.versions.length, many.versions.length]).toEqual([1, 0]);
  });

  it('the configuration tells which devices have several nodes', () => {
    const file = (node: string, path = node): Input => ({ type: 'file', device: 'file', node, path });
    const tcp = (nodes: Record<string, string>): Input => ({
      type: 'tcp',
      device: 'tcp',
      host: '127.0.0.1',
      port: 1,
      allowPlain: false,
      allow: [],
      nodes,
    });
    const many = (...inputs: Input[]) =>
      devicesOf(inputs, 'c').map(({ hasManyNodes }) => hasManyNodes === true);
    expect(many(file('n1'))).toEqual([false]);
    expect(many(file('n1'), file('n2'))).toEqual([true]);
    expect(many(tcp({}), file('n1'))).toEqual([false, false]);
    expect(many(tcp({ '10.0.0.1': 'n1', '10.0.0.2': 'n2' }))).toEqual([true]);
  });
});

describe('nodes that are heard of', () => {
  const seen = (run: Several) => run.nodes.map(({ node, how, hour }) => [node, how, hour.slice(11, 13)]);

  it('those that wrote lines and those that lines were passed on from, once an hour', () => {
    const run = new Several({ devices: [device('file')] });
    for (let i = 0; i < 3; i++) {
      for (const entry of later(forwarded, i * 1800))
        run.line('file', { ...entry, request: { ...entry.request, id: `call-${i}` } } as EntryLine, 'n1');
      run.restart();
    }
    expect(seen(run)).toEqual([
      ['n1', 'collected', '02'],
      ['10.0.0.7', 'forwarded_from', '02'],
      ['n1', 'collected', '03'],
      ['10.0.0.7', 'forwarded_from', '03'],
    ]);
    expect(run.nodes[0]).toMatchObject({ cluster: 'test', hour: '2026-11-23T02:00:00.000000000Z' });
    expect(new Set(run.nodes.map(({ id }) => id)).size).toBe(4);
  });

  it.each([
    ['vault-2.example:8201', 'vault-2.example'],
    ['[2001:db8::7]:8201', '2001:db8::7'],
    ['2001:db8::7', '2001:db8::7'],
    ['vault-2', 'vault-2'],
  ])('the host of %s', (shown, host) => {
    const run = new Several({ devices: [device('file')] });
    for (const entry of withTop(call, { forwarded_from: shown })) run.line('file', entry);
    expect(seen(run)).toEqual([[host, 'forwarded_from', '02']]);
  });

  it('unwrap-deferred, which OpenBao writes there, is no node', () => {
    const run = new Several({ devices: [device('file')] });
    for (const entry of withTop(call, { forwarded_from: 'unwrap-deferred' })) run.line('file', entry);
    expect(run.versions[0]?.vault.forwarded_from).toBe('unwrap-deferred');
    expect(run.nodes).toEqual([]);
  });

  it('whoever writes lines cannot make it tell of nodes without end', () => {
    const run = new Several({ devices: [device('file')] });
    for (let i = 0; i < limits.nodesSeenMax + 20; i++) run.line('file', call[0], `n${i}`);
    expect(run.nodes).toHaveLength(limits.nodesSeenMax);
    for (const entry of later(call, 3600)) run.line('file', entry, 'n1');
    expect(run.nodes).toHaveLength(limits.nodesSeenMax + 1);
  });
});
