import type { Piece } from './agent-runtime.js';

/** A paragraph that grows beyond this is continued in a new block; fences are never split. In UTF-16 units. */
const LONGEST_PARAGRAPH = 32_768;

const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([^`\s]*)[^`]*$/;
/** What a line may begin with that could still become a fence. */
const FENCE_START = /^ {0,3}(`{0,2}$|~{0,2}$|`{3}|~{3})/;
const MARKDOWN =
  /(^|\n)\s{0,3}(#{1,6}\s|[-*+]\s|\d{1,9}[.)]\s|>|\||(---|\*\*\*|___)\s*($|\n))|[*_]{1,3}\S[^\n]*[*_]|`[^`\n]+`|!?\[[^\]\n]*\]\([^)\n]*\)|~~\S/;

interface OpenBlock {
  readonly fence: string | undefined;
  readonly language: string;
  content: string;
  lines: number;
}

/**
 * Makes typed blocks of a model's text: a paragraph becomes `text` or `markdown`, a fence becomes `code` with its
 * language. Text comes in any portions and leaves as soon as its place is certain, so that readers see it grow; the
 * joined pieces of a block are exactly its content. While a paragraph grows its type is a guess (`markdown`); the piece
 * that ends it tells the type that counts.
 */
export class BlockAssembler {
  private block: OpenBlock | undefined;
  /** The line being received, and how much of it has left already. */
  private line = '';
  private sentOfLine = 0;
  private held = '';

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

  /** The text is over: what is open ends, an unclosed fence too. */
  end(): Piece[] {
    const pieces: Piece[] = [];
    this.line += this.held;
    this.held = '';
    if (this.line !== '') this.endLine(pieces);
    this.close(pieces);
    return pieces;
  }

  private endLine(pieces: Piece[]): void {
    const line = this.line.endsWith('\r') ? this.line.slice(0, -1) : this.line;
    if (this.sentOfLine > 0) this.send(line.slice(this.sentOfLine), pieces);
    else this.takeLine(line, pieces);
    this.line = '';
    this.sentOfLine = 0;
  }

  /** Takes a complete line of which nothing has left yet. */
  private takeLine(line: string, pieces: Piece[]): void {
    const fence = FENCE.exec(line);
    if (this.block?.fence !== undefined) {
      if (fence?.[1]?.startsWith(this.block.fence) && fence[2] === '') this.close(pieces);
      else this.sendLine(line, pieces);
      return;
    }
    if (fence) {
      this.close(pieces);
      this.block = { fence: fence[1], language: fence[2] ?? '', content: '', lines: 0 };
    } else if (line.trim() === '') {
      this.close(pieces);
    } else {
      if (this.block && this.block.content.length > LONGEST_PARAGRAPH) this.close(pieces);
      this.sendLine(line, pieces);
    }
  }

  /** Sends what has come of an unfinished line, once it cannot be a fence or an empty line any more. */
  private sendEarly(pieces: Piece[]): void {
    // A trailing CR may belong to the line's end.
    const line = this.line.endsWith('\r') ? this.line.slice(0, -1) : this.line;
    if (line.length <= this.sentOfLine) return;
    if (this.sentOfLine === 0) {
      if (line.trim() === '' || FENCE_START.test(line)) return;
      if (this.block && this.block.fence === undefined && this.block.content.length > LONGEST_PARAGRAPH)
        this.close(pieces);
      this.sendLine(line, pieces);
    } else {
      this.send(line.slice(this.sentOfLine), pieces);
    }
    this.sentOfLine = line.length;
  }

  /** Sends the beginning of a line, with the break that parts it from the one before. */
  private sendLine(line: string, pieces: Piece[]): void {
    this.block ??= { fence: undefined, language: '', content: '', lines: 0 };
    this.send(this.block.lines === 0 ? line : `\n${line}`, pieces);
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
  }

  private toPiece(block: OpenBlock, text: string, ends: boolean): Piece {
    if (block.fence !== undefined) {
      return { blockType: 'code', text, ends, metadata: block.language === '' ? {} : { language: block.language } };
    }
    return { blockType: ends && !MARKDOWN.test(block.content) ? 'text' : 'markdown', text, ends };
  }
}
