import { describe, expect, it } from 'vitest';
import { mentionsAgent, parseCommand } from './activation.js';

describe('a mention of the agent', () => {
  it.each([
    '@openclaw',
    '@OpenClaw, hi',
    'hi @openclaw.',
    '(@openclaw)',
    'hi @openclaw!',
    '日本 @openclaw さん',
    '@openclaw你好',
    '请@openclaw帮我',
    '日@openclaw',
    'こんにちは@openclawさん',
    '@openclaw야 안녕',
    'สวัสดี@openclawครับ',
    '＠OpenClaw hi',
    '＠ｏｐｅｎｃｌａｗ',
    '@openclaw.你好',
    '@openclaw. Next',
  ])('[G-05] is found in "%s"', (text) => expect(mentionsAgent(text, 'openclaw')).toBe(true));

  it.each([
    'openclaw',
    '@openclawx',
    '@openclaw-bot',
    '@openclaw_2',
    'x@openclaw.com',
    '@openclaw.com',
    'é@openclaw',
    '@openclawé',
    '이메일@openclaw',
    'x＠openclaw.com',
  ])('[G-05] is not found in "%s"', (text) => expect(mentionsAgent(text, 'openclaw')).toBe(false));

  it('[G-05] follows the name of the agent when it changes', () => {
    expect(mentionsAgent('@ada-1 hello', 'ada-1')).toBe(true);
    expect(mentionsAgent('@ada-1 hello', 'ada')).toBe(false);
  });

  it('is found in any normal form of the name', () => {
    for (const name of ['Zo\u00eb', 'Zoe\u0308'])
      for (const text of ['@Zo\u00eb hi', '@ZOE\u0308 hi']) expect(mentionsAgent(text, name)).toBe(true);
  });

  it('[G-05] is searched in linear time, so that a hostile text does not block the event loop', () => {
    expect(mentionsAgent('x@openclaw-'.repeat(6_000), 'openclaw')).toBe(false);
  });
});

describe('a command', () => {
  const parse = (text: string) => parseCommand(text, 'openclaw');

  it.each([
    '/help@openclaw me',
    '/help@OpenClaw me',
    '/HELP＠openclaw  me ',
    '@openclaw /help me',
    ' @OpenClaw: /help me',
    '＠openclaw，/help@openclaw me',
  ])('may name the agent: "%s"', (text) => expect(parse(text)).toEqual({ name: 'help', argument: 'me' }));

  it.each(['/help@other', '@other /help', 'please /help', '@openclaw please /help', '@openclaw /etc/passwd', '/help@'])(
    'for another agent, or within a text, is none: "%s"',
    (text) => expect(parse(text)).toBeUndefined(),
  );

  it('[G-07] is a slash and a name, then the end or a space', () => {
    expect(parse('/reset')).toEqual({ name: 'reset', argument: '' });
    expect(parse('/Activation  always ')).toEqual({ name: 'activation', argument: 'always' });
    expect(parse('/tool time.now {"a": 1}')).toEqual({ name: 'tool', argument: 'time.now {"a": 1}' });
  });

  it.each(['/etc/passwd', ' /reset', '/ reset', '1/2', '/', '//x'])('[G-07] is not "%s"', (text) =>
    expect(parse(text)).toBeUndefined(),
  );
});
