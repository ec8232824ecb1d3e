import { Marked, type Token, type Tokens } from 'marked';

/** A top-level piece of a markdown text. */
export type MarkdownPiece =
  | { readonly kind: 'code'; readonly code: string; readonly language: string }
  /** `html` is not safe yet: it goes through {@link sanitise}. */
  | { readonly kind: 'prose'; readonly html: string };

/** Formatting that markdown has no sign for. It passes without attributes; any other tag is shown as it was written. */
const FORMATTING_TAGS = /^(?:[^<>]|<\/?(?:b|br|del|em|i|ins|kbd|mark|q|s|small|strong|sub|sup|u)\s*\/?>)*$/i;

/** What a link may lead to. Everything else is shown as text. */
const LINK_TARGET = /^(?:https?:\/\/|mailto:|tel:)/i;

/** A picture that is in the text itself. One from elsewhere would tell its server who reads what, so it becomes a link. */
const OWN_PICTURE = /^data:image\/(?:png|jpeg|gif|webp|avif|svg\+xml);base64,/i;

const marked = new Marked({
  gfm: true,
  breaks: true,
  renderer: {
    html: ({ text }: Tokens.HTML | Tokens.Tag) => (FORMATTING_TAGS.test(text) ? text : escapeHtml(text)),
    link({ href, title, tokens }: Tokens.Link) {
      const label = this.parser.parseInline(tokens);
      if (!LINK_TARGET.test(href)) return `${label} (${escapeHtml(href)})`;
      return `<a href="${escapeHtml(href)}"${title ? ` title="${escapeHtml(title)}"` : ''}>${label}</a>`;
    },
    image: ({ href, text }: Tokens.Image) => {
      if (OWN_PICTURE.test(href)) return `<img src="${escapeHtml(href)}" alt="${escapeHtml(text)}">`;
      const label = escapeHtml(text || href);
      return LINK_TARGET.test(href) ? `<a href="${escapeHtml(href)}">${label}</a>` : label;
    },
    checkbox: ({ checked }: Tokens.Checkbox) => (checked ? '☑ ' : '☐ '),
  },
});

/**
 * Takes a markdown text apart into pieces that can be drawn one by one. What has not changed since the call before is
 * the same object again, so that a text that grows is drawn anew only at its end.
 */
export class MarkdownSplitter {
  #pieces = new Map<string, MarkdownPiece>();

  split(text: string): readonly MarkdownPiece[] {
    const tokens = marked.lexer(text);
    // A definition that has come meanwhile may turn text before it into a link.
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
