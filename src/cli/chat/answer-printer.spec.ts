import { describe, expect, it } from 'vitest';
import { FakeTerminal } from '../../testing/fake-terminal.js';
import { AnswerPrinter } from './answer-printer.js';

/** Sets the clipboard and the title, clears the screen, hides a link, and the same with one-byte controls. */
const ATTACK = 'a\u001b]52;c;eA==\u0007\u001b]0;t\u0007\u001b[2J\u001b]8;;http://x\u0007b\u009b2J\u202ec\r\n\td';

function print(isTTY: boolean): string {
  const terminal = new FakeTerminal({ NO_COLOR: '1' }, isTTY);
  const printer = new AnswerPrinter(terminal);
  printer.take({ type: 'delta', block_id: 'x', block_type: 'text', delta: ATTACK } as never);
  printer.note(ATTACK);
  return terminal.stdout.text + terminal.stderr.text;
}

describe('the text of an agent', () => {
  it('[X-14] moves no cursor, sets no clipboard and hides no link of a terminal', () => {
    expect(print(true).replaceAll(/[\n\t]/g, '')).not.toMatch(/[\p{Cc}\u202e]/u);
    expect(print(true)).toContain('c\n\td');
  });

  it('[X-14] stays as it is in a pipe', () => {
    expect(print(false)).toContain(ATTACK);
  });
});
