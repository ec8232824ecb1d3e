import { describe, expect, it } from 'vitest';
import { FakeTerminal } from '../../testing/fake-terminal.js';
import { run } from '../cli.js';

const TELEGRAM = {
  name: 'telegram',
  state: 'error',
  reason: 'Telegram refuses the token: 401',
  since: 1_800_000_000_000,
  last_in_at: 1_800_000_060_000,
  dead_letters: 2,
};
const LETTER = { id: 7, channel: 'telegram', chat: '5001', reply_to: 'm_1', text: 'hello\nthere', reason: 'blocked' };

function aTerminal(answer: (path: string, request: Request) => Response): FakeTerminal {
  const terminal = new FakeTerminal();
  terminal.answer = (request) => {
    const { pathname, search } = new URL(request.url);
    return answer(`${request.method} ${pathname}${search}`, request);
  };
  return terminal;
}

const calls = ({ requests }: FakeTerminal) =>
  requests.map(({ method, url }) => `${method} ${new URL(url).pathname}${new URL(url).search}`);

describe('openclaw channels', () => {
  it('lists the channels with state, times and dead letters', async () => {
    const terminal = aTerminal(() => Response.json({ items: [TELEGRAM] }));
    expect(await run(['channels'], terminal)).toBe(0);
    expect(terminal.stdout.text).toMatch(
      /CHANNEL +STATE +SINCE +LAST IN +LAST OUT +DEAD +REASON\ntelegram +error +2027-01-15T08:00:00 +2027-01-15T08:01:00 +- +2 +Telegram refuses/,
    );
  });

  it('says which replies had no place on the platform', async () => {
    const lost = { ...TELEGRAM, lost_replies: 2, lost_reason: 'chat not found' };
    const terminal = aTerminal(() => Response.json({ items: [lost] }));
    await run(['channels'], terminal);
    expect(terminal.stdout.text).toContain('Telegram refuses the token: 401; 2 replies were lost: chat not found');
  });

  it.each(['start', 'stop', 'restart'])('%s prints the state', async (action) => {
    const terminal = aTerminal(() => Response.json({ ...TELEGRAM, state: 'connecting' }));
    expect(await run(['channels', action, 'telegram'], terminal)).toBe(0);
    expect(calls(terminal)).toEqual([`POST /admin/v1/channels/telegram/${action}`]);
    expect(terminal.stdout.text).toContain('connecting');
  });

  it('lists and approves codes', async () => {
    const pairing = { sender: '5001', code: 'K7M2P9QX', asked_at: 1_800_000_000_000, expires_at: 1_800_003_600_000 };
    const terminal = aTerminal((path) => Response.json(path.startsWith('GET') ? { items: [pairing] } : pairing));
    expect(await run(['channels', 'pairings', 'telegram'], terminal)).toBe(0);
    expect(await run(['channels', 'approve', 'telegram', 'K7M2P9QX'], terminal)).toBe(0);
    expect(calls(terminal)[1]).toBe('POST /admin/v1/channels/telegram/pairings/K7M2P9QX/approve');
    expect(terminal.stdout.text).toMatch(/5001 +K7M2P9QX[^]*5001 may write to telegram now/);
  });

  it('sends a test message, and fails when the platform has not taken it', async () => {
    const outcomes = [{ state: 'sent' }, { state: 'dead', reason: 'chat not found' }];
    const terminal = aTerminal(() => Response.json(outcomes.shift()));
    expect(await run(['channels', 'test', 'telegram', '5001'], terminal)).toBe(0);
    expect(await terminal.requests[0]?.json()).toEqual({ chat: '5001' });
    expect(await run(['channels', 'test', 'telegram', '5002'], terminal)).toBe(1);
    expect(terminal.stdout.text).toMatch(/sent[^]*dead +chat not found/);
  });

  it.each([
    [['channels', 'fly'], /channels knows add, list, start, stop, restart, check/],
    [['channels', 'test', 'telegram'], /test needs NAME and CHAT/],
    [['channels', 'stop', 'telegram', 'now'], /Unexpected argument now/],
    [['dead-letters', 'retry'], /retry needs the ID/],
    [['dead-letters', '--kind', 'letter'], /--kind must be one of channel, not letter/],
    [['dead-letters', 'retry', 'x'], /x is not the ID/],
    [['dead-letters', 'burn', '1'], /knows list, retry and discard, not burn/],
  ])('exits with code 2 for %j', async (args, message) => {
    const terminal = aTerminal(() => Response.json({}));
    expect(await run(args, terminal)).toBe(2);
    expect(terminal.stderr.text).toMatch(message);
  });
});

describe('openclaw dead-letters', () => {
  it.each([[['dead-letters']], [['channels', 'dead-letters']]])('%j lists all pages', async (args) => {
    const terminal = aTerminal((path) =>
      Response.json(
        path.includes('cursor')
          ? { items: [{ ...LETTER, id: 3, created_at: 0 }] }
          : { items: [{ ...LETTER, created_at: 1_800_000_000_000 }], next: '7' },
      ),
    );
    expect(await run([...args, '--channel', 'telegram'], terminal)).toBe(0);
    expect(calls(terminal)[1]).toBe('GET /admin/v1/dead-letters?channel=telegram&limit=99&cursor=7');
    expect(terminal.stdout.text).toMatch(/7 +telegram +5001 +2027-01-15 08:00:00 +blocked +hello there\n3 /);
  });

  it('sends again and deletes, and stops at the first that is not there', async () => {
    const terminal = aTerminal((path) =>
      path.includes('/9')
        ? Response.json({ detail: 'There is no dead letter 9' }, { status: 404 })
        : new Response(null, { status: 204 }),
    );
    expect(await run(['dead-letters', 'retry', '7', '8'], terminal)).toBe(0);
    expect(await run(['dead-letters', 'discard', '9', '10'], terminal)).toBe(1);
    expect(calls(terminal)).toEqual([
      'POST /admin/v1/dead-letters/7/retry',
      'POST /admin/v1/dead-letters/8/retry',
      'DELETE /admin/v1/dead-letters/9',
    ]);
    expect(terminal.stderr.text).toContain('There is no dead letter 9');
  });
});
