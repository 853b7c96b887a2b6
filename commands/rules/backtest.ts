// `sealwatch rules backtest`: what rules would have found in the events that the evidence store holds. It reads beside a sealwatch
// that runs, and writes nothing.

import type { AuditEvent } from '../../core/event.ts';
import { limits } from '../../core/limits.ts';
import type { EvidenceReader } from '../../core/ports.ts';
import { END_OF_TIME } from '../../core/time.ts';
import { WholeDetector, type WholeOptions } from '../../detectors/engine/whole.ts';
import { type RuleTally, Tally } from './tally.ts';

/** Without `learned` only rules run. */
export interface BacktestOptions extends WholeOptions {
  learned?: NonNullable<WholeOptions['learned']> & { keep(): void };
  reader: EvidenceReader;
  /** Event time; `to` is exclusive. Without them all that the store holds. */
  from?: string;
  to?: string;
  now: () => number;
  progress: (text?: string) => void;
}

export interface BacktestResult {
  from?: string;
  to?: string;
  /** Event time of the first and the last event that was read. */
  first?: string;
  last?: string;
  events: number;
  seconds: number;
  /** Calls that entries of the lists kept from the rules: `allow backup`. */
  silenced: Record<string, number>;
  /** Alerts by level. */
  levels: Record<string, number>;
  /** Rules that found something, most alerts first; then those that found nothing. */
  rules: RuleTally[];
}

export async function backtest(options: BacktestOptions): Promise<BacktestResult> {
  const { rules, from, to, now, progress } = options;
  const startMs = now();
  const detector = new WholeDetector(options);
  const tally = new Tally(
    rules.roots.map(({ top }) => top),
    options.learned?.behaviours ?? [],
  );
  let events = 0;
  let first: string | undefined;
  let last = '';
  for await (const page of pages(options)) {
    for (const event of page) {
      // The store is in order of (time, id): what lies before an event is complete.
      if (event['@timestamp'] > last) detector.advance(last);
      last = event['@timestamp'];
      first ??= last;
      // What came late ran single-event rules only, and so it does here.
      const isLate = event.vault.flags?.includes('late') === true;
      detector.event(event, isLate ? END_OF_TIME : '');
    }
    options.learned?.keep();
    events += page.length;
    tally.take(detector.take().alerts);
    const rate = Math.round((events * 1000) / Math.max(1, now() - startMs));
    progress(`${last.slice(0, 16)}, ${events} events, ${rate} a second`);
  }
  progress();
  detector.advance(END_OF_TIME);
  tally.take(detector.take().alerts);
  return {
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
    ...(first !== undefined && { first, last }),
    events,
    seconds: (now() - startMs) / 1000,
    silenced: detector.counters.silenced,
    levels: tally.levels(),
    rules: tally.rules(),
  };
}

async function* pages({ reader, from, to }: BacktestOptions): AsyncGenerator<AuditEvent[]> {
  let after: { time: string; id: string } | undefined;
  do {
    const page = await reader.find({
      ...{ kind: 'events', where: [], order: 'asc', limit: limits.backtestPage },
      ...(from !== undefined && { from }),
      ...(to !== undefined && { to }),
      ...(after !== undefined && { after }),
    });
    yield page.items;
    after = page.next;
  } while (after !== undefined);
}

/** For people: a line a rule that found something, its weeks and whom it names most. */
export function backtestReport(result: BacktestResult): string {
  const { events, seconds, first, last, rules, silenced } = result;
  const quiet = rules.filter(({ alerts }) => alerts === 0);
  const rate = Math.round(events / Math.max(seconds, 0.001));
  const lines = [
    first === undefined || last === undefined
      ? 'The store holds no event of that time.'
      : `${events} events from ${minute(first)} to ${minute(last)}, in ${seconds.toFixed(1)} s (${rate} a second)`,
    '',
    ...rules.filter(({ alerts }) => alerts > 0).flatMap(linesOf),
    ...Object.entries(silenced).map(([entry, calls]) => `silenced by ${entry}: ${calls} calls`),
    `${quiet.length} of ${rules.length} rules found nothing${quiet.length > 0 && quiet.length <= 5 ? `: ${quiet.map(({ title }) => title).join(', ')}` : ''}`,
  ];
  return `${lines.join('\n')}\n`;
}

function linesOf({ level, title, alerts, calls, first, last, weeks, subjects, others }: RuleTally): string[] {
  const named = subjects.map(({ name, alerts }) => `${name} ${alerts}`);
  if (others > 0) named.push(`others ${others}`);
  return [
    `${level.padEnd(13)} ${title}: ${alerts} alerts on ${calls} calls, first ${minute(first ?? '')}, last ${minute(last ?? '')}`,
    `              weeks from: ${Object.entries(weeks)
      .map(([week, count]) => `${week} ${count}`)
      .join(', ')}`,
    `              of: ${named.join(', ')}`,
    '',
  ];
}

const minute = (time: string): string => `${time.slice(0, 16).replace('T', ' ')}Z`;
