import { Marked, Tokenizer, type Token, type Tokens } from 'marked';
import { STAR_RULES } from './cjk-emphasis.js';
import { INLINE_PICTURE } from './inline-picture.js';
import { maskMath, mathExtensions } from './math-syntax.js';

/** A top-level piece of a markdown text. */
export type MarkdownPiece =
  | { readonly kind: 'code'; readonly code: string; readonly language: string }
  /** `html` is not sanitised yet; see {@link sanitise}. */
  | { readonly kind: 'prose'; readonly html: string }
  /** A text that nests too deeply to be read as Markdown. */
  | { readonly kind: 'source'; readonly text: string };

/** HTML tags for formatting that Markdown lacks, allowed without attributes. Any other tag is shown as text. */
const FORMATTING_TAGS = /^(?:[^<>]|<\/?(?:b|br|del|em|i|ins|kbd|mark|q|s|small|strong|sub|sup|u)\s*\/?>)*$/i;

/** Schemes allowed in links. A link with any other scheme is shown as text. */
const LINK_TARGET = /^(?:https?:\/\/|mailto:|tel:)/i;

/** Deeper nesting is shown as it was written: the parser calls itself for each level, and needs time by their square. */
const MAX_DEPTH = 100;
const TOO_DEEP = new RegExp(`^(?:[ \\t]{0,3}(?:>|(?:[-+*]|\\d{1,9}[.)])[ \\t])){${MAX_DEPTH + 1}}`, 'm');

const marked = new Marked({
  extensions: mathExtensions(escapeHtml),
  hooks: { emStrongMask: maskMath },
  gfm: true,
  breaks: true,
  tokenizer: {
    // Returns undefined for text that is not marked up, false for the default.
    del: (src) => (src.startsWith('~~') ? false : undefined),
    emStrong(src, maskedSrc, previous) {
      if (!src.startsWith('*')) return false;
      const { rules } = this;
      this.rules = { ...rules, inline: { ...rules.inline, ...STAR_RULES } };
      const token = Tokenizer.prototype.emStrong.call(this, src, maskedSrc, previous);
      this.rules = rules;
      return token;
    },
  },
  renderer: {
    html: ({ text }: Tokens.HTML | Tokens.Tag) => (FORMATTING_TAGS.test(text) ? text : escapeHtml(text)),
    link({ href, title, tokens }: Tokens.Link) {
      const label = this.parser.parseInline(tokens);
      if (!LINK_TARGET.test(href)) return `${label} (${escapeHtml(href)})`;
      return `<a href="${escapeHtml(href)}"${title ? ` title="${escapeHtml(title)}"` : ''}>${label}</a>`;
    },
    image: ({ href, text }: Tokens.Image) => {
      // Loading a picture from another server would reveal the reader to it, so it becomes a link.
      if (INLINE_PICTURE.test(href)) return `<img src="${escapeHtml(href)}" alt="${escapeHtml(text)}">`;
      const label = escapeHtml(text || href);
      return LINK_TARGET.test(href) ? `<a href="${escapeHtml(href)}">${label}</a>` : label;
    },
    listitem(item: Tokens.ListItem) {
      return `<li${item.task ? ' class="task"' : ''}>${this.parser.parse(item.tokens)}</li>\n`;
    },
    checkbox: ({ checked }: Tokens.Checkbox) => (checked ? '☑ ' : '☐ '),
  },
});

/**
 * Splits a Markdown text into pieces that are rendered separately. A piece that is unchanged since the last call is the
 * same object, so a growing text is rendered again only at its end.
 */
export class MarkdownSplitter {
  #pieces = new Map<string, MarkdownPiece>();

  split(text: string): readonly MarkdownPiece[] {
    if (TOO_DEEP.test(text)) return [{ kind: 'source', text }];
    try {
      return this.#split(text);
    } catch (error) {
      // Lists can nest by their indentation too.
      if (error instanceof RangeError) return [{ kind: 'source', text }];
      throw error;
    }
  }

  #split(text: string): readonly MarkdownPiece[] {
    const tokens = marked.lexer(text);
    // A new definition may turn earlier text into a link.
    const definitions = Object.keys(tokens.links).length;
    const known = this.#pieces;
    this.#pieces = new Map();
    return tokens.flatMap((token) => {
      if (token.type === 'space' || token.type === 'def') return [];
      const key = `${definitions} ${token.raw}`;
      const piece = known.get(key) ?? this.#pieces.get(key) ?? makePiece(token);
      this.#pieces.set(key, piece);
      return [piece];
    });
  }
}

function makePiece(token: Token): MarkdownPiece {
  if (token.type !== 'code') return { kind: 'prose', html: marked.parser([token]) };
  const { text, lang } = token as Tokens.Code;
  return { kind: 'code', code: text, language: lang?.trim().split(/\s/, 1)[0] ?? '' };
}

function escapeHtml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}
