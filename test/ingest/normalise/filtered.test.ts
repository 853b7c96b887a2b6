// A device with a filter (Vault Enterprise: from the source, not run) leaves calls out: that is no gap, and no alarm.

import { describe, expect, it } from 'vitest';
import { addSeconds } from '../../../core/time.ts';
import { callOf } from './lines.ts';
import { device, Several } from './several.ts';

const call = callOf('kv-v2', 2);
const after = addSeconds(call[0].time, 10);

describe('a call that a device with a filter leaves out', () => {
  it.each([
    [true, 0, undefined],
    [false, 1, ['not_in_file']],
  ])('filtered: %s', (isFiltered, gaps, flags) => {
    const run = new Several({ devices: [device('file', { isFile: true, isFiltered }), device('tcp')] });
    run.tick(call[0].time);
    for (const entry of call) run.line('tcp', entry);
    expect(run.versions).toEqual([]);
    run.tick(after);
    expect(run.versions[0]?.vault.flags).toEqual(flags);
    expect(run.counts['tcp']).toMatchObject({ paired: 1, gaps: 0 });
    expect(run.counts['file']?.gaps ?? 0).toBe(gaps);
  });

  it('what it shows is its own as well, in any order', () => {
    const of = (...order: string[]) => {
      const run = new Several({ devices: [device('file', { isFiltered: true }), device('tcp')] });
      for (const name of order) for (const entry of call) run.line(name, entry);
      run.tick(after);
      return run.texts;
    };
    expect(of('file', 'tcp')).toEqual(of('tcp', 'file'));
  });
});
