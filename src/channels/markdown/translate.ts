import { lexer, type Token, type Tokens } from 'marked';
import type { PartText } from '../../core/channels/driver.js';
import type { Dialect, Mark } from './dialect.js';
import { alignTable } from './table.js';

/** Deeper nesting is shown as it was written. */
export const MAX_DEPTH = 12;
/** Longer texts are shown as they were written: the parser may need much time for them. */
const MAX_PARSED_LENGTH = 20_000;
/** Quotes in quotes, for which the parser needs time by the square of their depth. */
const TOO_DEEP = new RegExp(`^(?:[ \\t]{0,3}>){${MAX_DEPTH + 1}}`, 'm');
/** With more characters that may be marks a text is shown as it was written: the time may grow with their square. */
const MAX_MARKS = 1_000;
/** Maximum length of what stands behind the marks of a code fence and is not shown, in UTF-16 units. */
const MAX_INFO = 64;

/** Returns the texts of one message in a dialect. What cannot be parsed is shown as it was written. */
export function translate(texts: readonly PartText[], dialect: Dialect): string {
  return texts.map((text) => translateText(text, dialect)).join('\n\n');
}

function translateText({ kind, text, language }: PartText, dialect: Dialect): string {
  switch (kind) {
    case 'markdown':
      return translateMarkdown(text, dialect);
    case 'code':
      return toCode(text, language, dialect);
    case 'status':
    case 'image':
    case 'audio':
    case 'file':
      return text.trim() === '' ? text : dialect.smallPrint(text);
    case 'text':
      return dialect.escape(text);
  }
}

function translateMarkdown(text: string, dialect: Dialect): string {
  if (text.length > MAX_PARSED_LENGTH || TOO_DEEP.test(text) || hasTooManyMarks(text)) return dialect.escape(text);
  try {
    const marked = new Walk(dialect).blocks(lexer(text), { depth: 0, isQuoted: false });
    // A text that is nothing but definitions of links would be empty.
    return marked.trim() === '' ? dialect.escape(text) : marked;
  } catch {
    return dialect.escape(text);
  }
}

function hasTooManyMarks(text: string): boolean {
  return (text.match(/[[\]<>*_~`!]/g)?.length ?? 0) > MAX_MARKS;
}

/** Returns a fenced block of code. Text behind its marks that is not a language is shown as code. */
function toFencedCode({ text, lang = '' }: Tokens.Code, dialect: Dialect): string {
  const isText = lang.length > MAX_INFO || (text.trim() === '' && !/^[\w+#.-]*$/.test(lang));
  return isText ? toCode(`${lang}\n${text}`.trimEnd(), '', dialect) : toCode(text, lang, dialect);
}

function toCode(text: string, info = '', dialect: Dialect): string {
  const [language = ''] = /^[\w+#.-]{1,40}/.exec(info.trim()) ?? [];
  return text.trim() === '' ? text : dialect.code(text, language);
}

/** Where a block stands. */
interface Place {
  readonly depth: number;
  readonly isQuoted: boolean;
}

/** Where an inline token stands. */
interface InlinePlace {
  readonly depth: number;
  /** Marks that are not set: they are set already, or cannot stand here. */
  readonly open: ReadonlySet<Mark | 'codespan' | 'link'>;
  /** Nothing is escaped: the text becomes a part of a block of code. */
  readonly isCode?: boolean;
}

const MARKS = new Set<Mark | 'codespan'>(['strong', 'em', 'del', 'codespan']);
const TOP: InlinePlace = { depth: 0, open: new Set() };
const IN_HEADING: InlinePlace = { depth: 0, open: new Set(['strong']) };
const ALL: InlinePlace['open'] = new Set([...MARKS, 'link']);
const IN_TABLE: InlinePlace = { depth: 0, open: ALL, isCode: true };

/** A walk over the tokens of a text. */
class Walk {
  constructor(private readonly dialect: Dialect) {}

  blocks(tokens: readonly Token[], place: Place): string {
    return this.blocksOf(tokens, place).join('\n\n');
  }

  private blocksOf(tokens: readonly Token[], place: Place): string[] {
    return tokens.map((token) => this.block(token, place)).filter((text) => text !== '');
  }

  private block(token: Token, place: Place): string {
    if (place.depth > MAX_DEPTH) return this.dialect.escape(token.raw.trim());
    switch (token.type) {
      case 'space':
      case 'def':
        return '';
      case 'heading':
        return this.dialect.heading(this.inline(childrenOf(token), IN_HEADING), (token as Tokens.Heading).depth);
      case 'code':
        return toFencedCode(token as Tokens.Code, this.dialect);
      case 'blockquote':
        return this.quote(childrenOf(token), place);
      case 'list':
        return this.list(token as Tokens.List, place);
      case 'table':
        return this.table(token as Tokens.Table);
      case 'hr':
        return '———';
      case 'paragraph':
      case 'text':
        return this.inline(childrenOf(token) ?? [token], TOP);
      default:
        return this.dialect.escape(token.raw.trim());
    }
  }

  private quote(tokens: readonly Token[] = [], { depth, isQuoted }: Place): string {
    const text = this.blocks(tokens, { depth: depth + 1, isQuoted: true });
    return text === '' ? '' : this.dialect.quote(text, isQuoted);
  }

  private list({ items, ordered, start, loose }: Tokens.List, place: Place): string {
    const first = start === '' ? 1 : start;
    const lines = items.map(({ task, checked, tokens }, n) => {
      const number = ordered ? `${first + n}. ` : '';
      const checkbox = task ? (checked ? '☑ ' : '☐ ') : '';
      const blocks = tokens.filter(({ type }) => type !== 'checkbox');
      return this.dialect.item(this.blocksOf(blocks, { ...place, depth: place.depth + 1 }), { number, checkbox });
    });
    return lines.join(loose ? '\n\n' : '\n');
  }

  private table({ header, rows, align }: Tokens.Table): string {
    const cells = [header, ...rows].map((row) => row.map(({ tokens }) => this.inline(tokens, IN_TABLE)));
    return toCode(alignTable(cells, align), '', this.dialect);
  }

  private inline(tokens: readonly Token[] = [], place: InlinePlace): string {
    if (place.depth > MAX_DEPTH) return tokens.map(({ raw }) => this.escape(raw, place)).join('');
    const contents = tokens.map((token) => this.content(token, place));
    const text = tokens
      .map((token, n) => {
        const content = contents[n] ?? '';
        if (!isMarked(token) || place.open.has(token.type)) return content;
        if (this.dialect.wholeWords && isInWord(contents[n - 1], contents[n + 1]))
          return this.content(token, { ...place, open: place.open.union(MARKS) });
        return token.type === 'codespan' ? this.dialect.codeSpan(token.text) : this.dialect.mark(token.type, content);
      })
      .join('');
    return this.dialect.inline?.(text) ?? text;
  }

  /** Returns a token without a mark of its own. */
  private content(token: Token, place: InlinePlace): string {
    const inner = { ...place, depth: place.depth + 1 };
    switch (token.type) {
      case 'strong':
      case 'em':
      case 'del':
        return this.inline(childrenOf(token), { ...inner, open: place.open.union(new Set([token.type])) });
      case 'codespan':
        return this.escape((token as Tokens.Codespan).text, place);
      case 'br':
        return '\n';
      case 'checkbox':
        return '';
      case 'link':
      case 'image':
        return this.link(token as Tokens.Link, inner);
      case 'escape':
        return this.escapeCharacter((token as Tokens.Escape).text, place);
      case 'text': {
        const children = childrenOf(token);
        return children ? this.inline(children, inner) : this.escape((token as Tokens.Text).text, place);
      }
      default:
        return this.escape(token.raw, place);
    }
  }

  private link({ href, text, tokens, raw }: Tokens.Link, place: InlinePlace): string {
    const open = this.dialect.plainLinks ? ALL : place.open.union(new Set(['link' as const]));
    const words = this.inline(tokens, { ...place, open });
    if (words.trim() === '') return this.escape(raw, place);
    const isBare = text === href || `mailto:${text}` === href;
    const link = place.isCode ? undefined : this.dialect.link?.({ words, href, isBare });
    if (link === undefined) return isBare ? words : `${words} (${this.escape(href, place)})`;
    return place.open.has('link') ? words : link;
  }

  private escapeCharacter(text: string, place: InlinePlace): string {
    return (place.isCode ? undefined : this.dialect.escapeCharacter?.(text)) ?? this.escape(text, place);
  }

  private escape(text: string, { isCode }: InlinePlace): string {
    return isCode ? text : this.dialect.escape(text);
  }
}

/** Returns whether no space or punctuation mark is between a text and what stands before or after it. */
function isInWord(before = '', after = ''): boolean {
  return /[\p{L}\p{N}\p{M}_*~`]$/u.test(before) || /^[\p{L}\p{N}\p{M}_*~`]/u.test(after);
}

function isMarked(token: Token): token is Tokens.Strong | Tokens.Em | Tokens.Del | Tokens.Codespan {
  return (MARKS as ReadonlySet<string>).has(token.type);
}

function childrenOf(token: Token): readonly Token[] | undefined {
  return 'tokens' in token ? token.tokens : undefined;
}
