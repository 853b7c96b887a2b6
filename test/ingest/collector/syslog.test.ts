// Vault's line comes out of each kind of syslog message as Vault wrote it, however the messages are framed and cut.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { limits } from '../../../core/limits.ts';
import { PartialBudget } from '../../../ingest/collector/partial.ts';
import { lineOfMessage, syslogFraming } from '../../../ingest/collector/syslog.ts';
import { deviceLines } from './real-lines.ts';

const line = deviceLines('default')[3] as string;

const lineOf = (message: string): string => {
  const bytes = Buffer.from(`before<${message}`);
  const { from, to } = lineOfMessage(bytes, 7, bytes.length);
  return bytes.toString('utf8', from, to);
};

describe('the line in a message', () => {
  test.each([
    ['of Vault 1.21.1 on the local socket', `<38>Nov 23 05:31:27 vault[21757]: ${line}\n`],
    ['with a facility, a tag and a prefix of its own', `<134>Nov 23 05:31:27 hashi[21757]: pre: ${line}\n`],
    ['of RFC 3164 with a host', `<38>Nov  3 05:31:27 vault-1 vault[21757]: ${line}`],
    [
      'of RFC 3164 with the time of RFC 3339',
      `<38>2026-11-23T05:31:27.247946+01:00 vault-1 vault[21757]: ${line}`,
    ],
    ['without a tag', `<38>Nov 23 05:31:27 ${line}`],
    ['without anything but the priority', `<38>${line}`],
    ['of RFC 5424', `<38>1 2026-11-23T05:31:27.247946Z vault-1 vault 21757 - - ${line}`],
    [
      'of RFC 5424 with a byte order mark',
      `<38>1 2026-11-23T05:31:27.247946Z vault-1 vault 21757 - - \uFEFF${line}`,
    ],
    [
      'of RFC 5424 with braces and escapes in its structured data',
      `<38>1 2026-11-23T05:31:27Z h vault 1 - [a@1 k="{\\"x\\" ] \\] \\\\" l="["][b@1 m="{"] ${line}`,
    ],
    ['that ends in a NUL', `<38>Nov 23 05:31:27 vault[21757]: ${line}\n\0`],
    ['without a header, from a socket device', line],
  ])('%s is what Vault wrote', (_, message) => {
    expect(lineOf(message)).toBe(line);
  });

  test.each([
    ['no JSON', '<38>Nov 23 05:31:27 vault[1]: pam_unix: session opened'],
    ['a prefix of a socket device', `pre{fix ${line}`],
    ['no priority', `Nov 23 05:31:27 vault[1]: ${line}`],
    ['a priority that is none', '<38'],
    ['structured data without an end', '<38>1 t h a p m [a@1 k="'],
    ['nothing', ''],
  ])('with %s stays whole', (_, message) => {
    expect(lineOf(message)).toBe(message);
  });

  test('lies within the message, whatever it is', () => {
    const part = fc.constantFrom(
      '<38>',
      '1 ',
      '2026 ',
      'a b c d e ',
      '[x y="',
      '\\"',
      '"]',
      ' ',
      '{',
      '\n',
      '\0',
      'é',
      '<',
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 14 }), fc.nat(5), (parts, margin) => {
        const bytes = Buffer.from(`${'{'.repeat(margin)}${parts.join('')}${'{'.repeat(margin)}`);
        const { from, to } = lineOfMessage(bytes, margin, bytes.length - margin);
        expect(from).toBeGreaterThanOrEqual(margin);
        expect(to).toBeGreaterThanOrEqual(from);
        expect(to).toBeLessThanOrEqual(bytes.length - margin);
      }),
    );
  });
});

function frame(chunks: Iterable<Buffer>): { lines: string[]; lost: string[] } {
  const lines: string[] = [];
  const lost: string[] = [];
  const framing = syslogFraming(
    {
      line: (bytes, from, to) => lines.push(bytes.toString('utf8', from, to)),
      lost: (reason, bytes) => lost.push(`${reason} ${bytes}`),
    },
    new PartialBudget(),
  );
  for (const chunk of chunks) framing.push(chunk);
  framing.end();
  return { lines, lost };
}

const header = '<38>Nov 23 05:31:27 vault[1]: ';
const counted = (message: string) => `${Buffer.byteLength(message)} ${message}`;

describe('a stream of messages', () => {
  const lines = deviceLines('default').slice(0, 6);
  const framings = {
    lines: (text: string) => `${header}${text}\n`,
    counted: (text: string) => counted(`${header}${text}`),
    'counted with a newline': (text: string) => counted(`${header}${text}\n`),
  };

  test('gives each line, in any framing, mixed, and cut anywhere', () => {
    const one = fc.record({
      text: fc.constantFrom(...lines),
      framing: fc.constantFrom(...Object.values(framings)),
    });
    fc.assert(
      fc.property(
        fc.array(one, { maxLength: 6 }),
        fc.array(fc.integer({ min: 1, max: 900 })),
        (list, cuts) => {
          const bytes = Buffer.from(list.map(({ text, framing }) => framing(text)).join(''));
          const chunks: Buffer[] = [];
          let at = 0;
          for (const cut of [...cuts, bytes.length]) {
            if (at < bytes.length) chunks.push(bytes.subarray(at, at + cut));
            at += cut;
          }
          expect(frame(chunks)).toEqual({ lines: list.map(({ text }) => text), lost: [] });
        },
      ),
    );
  });

  test('that ends inside a message: that one is lost and counted', () => {
    const message = `${header}${lines[0]}`;
    const cut = Buffer.from(counted(message) + counted(message)).subarray(0, -10);
    expect(frame([cut])).toEqual({
      lines: [lines[0]],
      lost: [`truncated ${Buffer.byteLength(message) - 10}`],
    });
  });

  test('with a count past the longest line: that message is given up, and the next one is fine', () => {
    const count = limits.lineBytesMax + 1;
    const next = Buffer.from(framings.lines(lines[1] as string));
    expect(frame([Buffer.from(`${count} `), Buffer.alloc(count, 'x'), next])).toEqual({
      lines: [lines[1]],
      lost: [`line_too_long ${count}`],
    });
  });

  test.each([
    ['a number too long for a count', `12345678901 ${'x'}\n`, '12345678901 x'],
    ['digits that no space follows', '12x 3\n', '12x 3'],
    ['a count of nothing', `0 ${header}${line}\n`, line],
    ['an empty line', `\n${header}${line}\n`, line],
  ])('with %s goes on', (_, text, expected) => {
    expect(frame([Buffer.from(text)]).lines).toEqual([expected]);
    expect(frame([Buffer.from(text), Buffer.from(framings.counted(line))]).lines).toEqual([expected, line]);
  });
});
