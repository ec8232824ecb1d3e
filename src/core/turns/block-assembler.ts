import type { Piece } from './agent-runtime.js';

/** A paragraph that grows beyond this is continued in a new block; fences are never split. In UTF-16 units. */
const MAX_PARAGRAPH_LENGTH = 32_768;
const TAB_WIDTH = 4;
/** Indentation with which a line after an empty one still belongs to a list; models seldom use the exact one. */
const MIN_LIST_INDENT = 2;
const MAX_FENCE_INDENT = 3;

const FENCE = /^[ \t]*(`{3,}|~{3,})\s*([^`\s]*)[^`]*$/;
/** The marker of a list item, and the spaces after it. */
const MARKER = /^[ \t]*([-*+]|\d{1,9}[.)])([ \t]+|$)/;
/** A marker that may interrupt a paragraph: in "born in\n1986. Then" the number is none. */
const INTERRUPTING_MARKER = /^[ \t]*([-*+]|1[.)])[ \t]/;
/** The beginning of a line that could still become a fence, also one after a marker, or a marker. */
const UNDECIDED = /^[ \t]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?(?:`{0,2}$|~{0,2}$|`{3}|~{3})|^[ \t]*(?:[-*+]|\d{1,9}[.)]?)$/;

const MARKDOWN = new RegExp(
  [
    // Headings, lists, quotes, tables, breaks, underlined headings, tables without outer pipes.
    /(?:^|\n)\s{0,3}(?:#{1,6}\s|[-*+](?:\s|$)|\d{1,9}[.)](?:\s|$)|>|\||(?:---|\*\*\*|___)\s*(?:$|\n))/,
    /\n {0,3}(?:=+|-+)[ \t]*(?:\n|$)|\n[ \t]*:?-+:?[ \t]*\|/,
    // Formulas.
    /\$[^\s$][^$\n]*\$|\$\$/,
    // Emphasis, code, strikethrough, escapes, entities, hard line breaks.
    /[*_]{1,3}\S[^*_]*[*_]|`[^`\n]+`|~~\S|\\[!-/:-@[-`{-~\n]|&#?\w{1,31};| {2}\n/,
    // Links, with their text or without, and tags.
    /\[[^\]\n]{0,999}\][([:]|https?:\/\/\S|www\.\S|[\w.+-]@[\w-]{1,63}\.\w|<[a-z/!][^>\n]{0,199}>/i,
  ]
    .map(({ source }) => source)
    .join('|'),
  'i',
);

interface OpenBlock {
  readonly fence: string | undefined;
  readonly language: string;
  /** Columns of indentation that its lines lose. */
  readonly indent: number;
  content: string;
  lines: number;
}

/**
 * Makes typed blocks of a model's text: a paragraph or a list becomes `text` or `markdown`, a fence becomes `code` with its
 * language, also within a list. Text comes in any portions and leaves as soon as its place is certain, so that readers see
 * it grow; the joined pieces of a block are exactly its content. While a paragraph grows its type is a guess
 * (`markdown`); the piece that ends it has the type that counts.
 */
export class BlockAssembler {
  private block: OpenBlock | undefined;
  /** The line being received, and the length of its part that was sent. */
  private line = '';
  private sentOfLine = 0;
  private held = '';
  /** Columns at which the text of each open list item begins, the outermost first; they outlive the blocks of a list. */
  private items: number[] = [];
  /** Empty lines in a list, which belong to its block when the list continues after them. */
  private blanks = 0;

  /** Takes the next portion of text. */
  push(portion: string): Piece[] {
    const pieces: Piece[] = [];
    const text = this.held + portion;
    // The other half of a character comes with the next portion.
    this.held = /[\uD800-\uDBFF]$/.exec(text)?.[0] ?? '';
    const lines = text.slice(0, text.length - this.held.length).split('\n');
    lines.forEach((part, i) => {
      this.line += part;
      if (i < lines.length - 1) this.endLine(pieces);
    });
    this.sendEarly(pieces);
    return pieces;
  }

  /** Ends the text and what is open, an unclosed fence too. */
  end(): Piece[] {
    const pieces: Piece[] = [];
    this.line += this.held;
    this.held = '';
    if (this.line !== '') this.endLine(pieces);
    this.close(pieces);
    this.items = [];
    return pieces;
  }

  private endLine(pieces: Piece[]): void {
    const line = this.line.endsWith('\r') ? this.line.slice(0, -1) : this.line;
    if (this.sentOfLine > 0) this.send(line.slice(this.sentOfLine), pieces);
    else this.takeLine(line, pieces);
    this.line = '';
    this.sentOfLine = 0;
  }

  /** Takes a complete line before any of it is sent. */
  private takeLine(line: string, pieces: Piece[]): void {
    if (this.block?.fence !== undefined) {
      if (closes(this.block.fence, this.block.indent, line)) this.close(pieces);
      else this.sendLine(line, pieces);
      return;
    }
    if (line.trim() === '') {
      if (this.block && this.items.length > 0) this.blanks++;
      else this.close(pieces);
      return;
    }
    const marker = this.placeLine(line, pieces);
    const fence = FENCE.exec(line.slice(marker.length));
    const indent = indentOf(line);
    if (!fence || (indent > MAX_FENCE_INDENT && this.items.length === 0)) return this.sendLine(line, pieces);
    if (marker !== '') this.sendLine(marker.trimEnd(), pieces);
    this.close(pieces);
    const column = marker === '' ? indent : (this.items.at(-1) ?? 0);
    this.block = { fence: fence[1], language: fence[2] ?? '', indent: column, content: '', lines: 0 };
  }

  /** Sends what has come of an unfinished line, once its kind is certain. */
  private sendEarly(pieces: Piece[]): void {
    // A trailing CR may belong to the line's end.
    const line = this.line.endsWith('\r') ? this.line.slice(0, -1) : this.line;
    if (line.length <= this.sentOfLine) return;
    if (this.sentOfLine > 0) this.send(line.slice(this.sentOfLine), pieces);
    else {
      if (line.trim() === '' || UNDECIDED.test(line)) return;
      if (this.block?.fence === undefined) this.placeLine(line, pieces);
      this.sendLine(line, pieces);
    }
    this.sentOfLine = line.length;
  }

  /** Finds the place of a line in lists, and ends the block that it does not belong to. Returns its list marker. */
  private placeLine(line: string, pieces: Piece[]): string {
    const indent = indentOf(line);
    const marker = this.isItem(line) ? MARKER.exec(line) : null;
    const isAfterBlank = this.blanks > 0 || !this.block;
    const isInList = marker !== null || indent >= MIN_LIST_INDENT || (!isAfterBlank && !FENCE.test(line));
    if (this.items.length > 0 && !isInList) {
      this.close(pieces);
      this.items = [];
    }
    if (marker || isAfterBlank) this.items = this.items.filter((column) => column <= indent);
    if (marker) {
      const [whole, sign = '', spaces = ''] = marker;
      const gap = spaces.length >= 1 && spaces.length <= TAB_WIDTH ? spaces.length : 1;
      this.items.push(indent + sign.length + gap);
      return whole;
    }
    return '';
  }

  private isItem(line: string): boolean {
    const isParagraph = this.block !== undefined && this.items.length === 0;
    return isParagraph ? INTERRUPTING_MARKER.test(line) : MARKER.test(line);
  }

  /** Sends the beginning of a line, with the break that separates it from the one before. */
  private sendLine(line: string, pieces: Piece[]): void {
    const isFull = this.block?.fence === undefined && (this.block?.content.length ?? 0) > MAX_PARAGRAPH_LENGTH;
    if (isFull) this.close(pieces);
    const indent = this.items.length > 0 ? indentOf(line) : 0;
    this.block ??= { fence: undefined, language: '', indent, content: '', lines: 0 };
    const text = withoutIndent(line, this.block.indent);
    this.send(this.block.lines === 0 ? text : `${'\n'.repeat(this.blanks + 1)}${text}`, pieces);
    this.blanks = 0;
    this.block.lines++;
  }

  private send(text: string, pieces: Piece[]): void {
    if (!this.block || text === '') return;
    this.block.content += text;
    pieces.push(this.toPiece(this.block, text, false));
  }

  private close(pieces: Piece[]): void {
    if (this.block) pieces.push(this.toPiece(this.block, '', true));
    this.block = undefined;
    this.blanks = 0;
  }

  private toPiece(block: OpenBlock, text: string, ends: boolean): Piece {
    if (block.fence !== undefined) {
      return { blockType: 'code', text, ends, metadata: block.language === '' ? {} : { language: block.language } };
    }
    return { blockType: ends && !MARKDOWN.test(block.content) ? 'text' : 'markdown', text, ends };
  }
}

/** Returns whether a line ends the code that began with `fence` at a column. */
function closes(fence: string, column: number, line: string): boolean {
  const match = FENCE.exec(line);
  return match?.[1]?.startsWith(fence) === true && match[2] === '' && indentOf(line) <= column + MAX_FENCE_INDENT;
}

/** Returns the indentation of a line in columns. */
function indentOf(line: string): number {
  let columns = 0;
  for (const letter of line) {
    if (letter === ' ') columns++;
    else if (letter === '\t') columns += TAB_WIDTH - (columns % TAB_WIDTH);
    else break;
  }
  return columns;
}

/** Returns a line without up to `columns` of its indentation. */
function withoutIndent(line: string, columns: number): string {
  const indent = indentOf(line);
  return columns === 0 ? line : ' '.repeat(Math.max(0, indent - columns)) + line.replace(/^[ \t]+/, '');
}
