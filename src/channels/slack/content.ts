import type { Bot } from './events.js';

/** The text of a post, without the mention of the bot. */
export interface Content {
  readonly text: string;
  readonly isMention: boolean;
}

/** The names of people and channels, by their IDs with the sign before them: `@U1`, `#C1`. */
export type Names = ReadonlyMap<string, string>;

/** Text in angle brackets: a mention, a link, a date. */
const TOKEN = /<([^<>\n]+)>/g;
const NAMED = /^([@#])([A-Z0-9]+)(?:\|(.*))?$/s;
const SPECIAL = /^!(?:(here|channel|everyone)|subteam\^[A-Z0-9]+|date\^[^|]*)(?:\|(.*))?$/s;

/** Returns the people and channels whose names a text lacks, as in {@link Names}. */
export function listUnnamed(raw: string, bot: Bot): string[] {
  const ids = [...raw.matchAll(TOKEN)].flatMap(([, token = '']) => {
    const [, sign = '', id, label = ''] = NAMED.exec(token) ?? [];
    return id !== undefined && label === '' && id !== bot.user ? [sign + id] : [];
  });
  return [...new Set(ids)];
}

/**
 * Returns a text of Slack as a person reads it. Entities are decoded last and once, so that a text that was escaped never
 * becomes a token.
 */
export function decode(raw: string, names: Names, bot: Bot): Content {
  let isMention = false;
  const text = raw.replaceAll(MENTION, '').replaceAll(TOKEN, (whole, token: string) => {
    if (NAMED.exec(token)?.[2] !== bot.user) return toWords(token, names) ?? whole;
    isMention = true;
    return MENTION;
  });
  return { text: decodeEntities(text.replaceAll(MENTION_WITH_SPACE, '')).trim(), isMention };
}

/** Stands for the mention of the bot while the text is read: a noncharacter of Unicode. */
const MENTION = '\uFFFE';
const MENTION_WITH_SPACE = /\uFFFE[ \t]*/g;

function toWords(token: string, names: Names): string | undefined {
  const [, sign, id = '', label = ''] = NAMED.exec(token) ?? [];
  if (sign !== undefined) return sign + (label === '' ? (names.get(sign + id) ?? id) : label.replace(/^[@#]/, ''));
  const [special, group, words = ''] = SPECIAL.exec(token) ?? [];
  if (special !== undefined) return group === undefined ? words : `@${group}`;
  return toLink(token);
}

function toLink(token: string): string | undefined {
  const [, url = '', text = ''] = /^([a-z][a-z0-9+.-]*:[^|]+)(?:\|(.*))?$/is.exec(token) ?? [];
  if (url === '') return undefined;
  const plain = url.replace(/^(mailto|tel):/, '');
  return text === '' || text === plain || text === url ? plain : `${text} (${url})`;
}

function decodeEntities(text: string): string {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}
