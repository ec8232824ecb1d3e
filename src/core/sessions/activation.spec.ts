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
    '日@openclaw',
  ])('[G-05] is not found in "%s"', (text) => expect(mentionsAgent(text, 'openclaw')).toBe(false));

  it('[G-05] follows the name of the agent when it changes', () => {
    expect(mentionsAgent('@ada-1 hello', 'ada-1')).toBe(true);
    expect(mentionsAgent('@ada-1 hello', 'ada')).toBe(false);
  });

  it('[G-05] is searched in linear time, so that a hostile text does not block the event loop', () => {
    expect(mentionsAgent('x@openclaw-'.repeat(6_000), 'openclaw')).toBe(false);
  });
});

describe('a command', () => {
  it('[G-07] is a slash and a name, then the end or a space', () => {
    expect(parseCommand('/reset')).toEqual({ name: 'reset', argument: '' });
    expect(parseCommand('/Activation  always ')).toEqual({ name: 'activation', argument: 'always' });
    expect(parseCommand('/tool time.now {"a": 1}')).toEqual({ name: 'tool', argument: 'time.now {"a": 1}' });
  });

  it.each(['/etc/passwd', ' /reset', '/ reset', '1/2', '/', '//x'])('[G-07] is not "%s"', (text) =>
    expect(parseCommand(text)).toBeUndefined(),
  );
});
