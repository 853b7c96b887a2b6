// A start beside the collector waits for Kafka and Elasticsearch, and for nothing else.

import { expect, it, vi } from 'vitest';
import { untilReached } from '../../../commands/run/reached.ts';
import { type ErrorCode, SealwatchError } from '../../../core/errors.ts';
import { logOf } from '../../vault/scripted.ts';

vi.mock('node:timers/promises', () => ({ setTimeout: async () => {} }));

const refusing = (code: ErrorCode, times: number) => {
  const state = { asked: 0 };
  const open = async () => {
    if (state.asked++ < times) throw new SealwatchError(code, 'no answer', 'Check it.');
    return 'open';
  };
  return { state, open };
};

it.each(['KAFKA_UNREACHABLE', 'ELASTICSEARCH_UNREACHABLE'] as const)(
  '%s is waited for and said once',
  async (code) => {
    const { lines, logger } = logOf();
    const { state, open } = refusing(code, 5);
    expect(await untilReached(open, logger)).toBe('open');
    expect([state.asked, lines.length]).toEqual([6, 1]);
    expect(lines[0]).toContain(code);
  },
);

it('what waiting does not mend ends the start', async () => {
  const { logger } = logOf();
  const { open } = refusing('KAFKA_TOPICS_WRONG', 1);
  await expect(untilReached(open, logger)).rejects.toMatchObject({ code: 'KAFKA_TOPICS_WRONG' });
});
