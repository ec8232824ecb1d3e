/** A mark around a text of one line. It is not set within itself. */
export type Mark = 'strong' | 'em' | 'del';

/** The marks before an item of a list. Each is followed by a space, and empty where the item has none. */
export interface ItemStart {
  /** Such as `3. `. */
  readonly number: string;
  readonly checkbox: string;
}

/** A link or an image. */
export interface Link {
  /** Its text; not blank. */
  readonly words: string;
  readonly href: string;
  /** The text is the address. */
  readonly isBare: boolean;
}

/** The markup of a platform. Texts are in the dialect, unless they are called plain. */
export interface Dialect {
  /** Marks are set around whole words only; within a word the platform shows them as characters. */
  readonly wholeWords?: boolean;
  /** No mark is set within the text of a link. */
  readonly plainLinks?: boolean;
  /** Escapes what the platform would take for markup in a plain text. */
  escape(plain: string): string;
  /** Escapes one character that has a backslash in Markdown. Default: {@link escape}. */
  escapeCharacter?(plain: string): string;
  /** Changes a whole text of inline tokens. */
  inline?(text: string): string;
  mark(mark: Mark, text: string): string;
  codeSpan(plain: string): string;
  /** Returns undefined for an address that cannot be linked: it stands behind the text then, as without this method. */
  link?(link: Link): string | undefined;
  /** A heading of a level of 1 to 6; `strong` is not marked in it. */
  heading(text: string, level: number): string;
  /** A block of code that is not blank. Without a language, `language` is empty. */
  code(plain: string, language: string): string;
  /** A quote that is not empty; `isQuoted` is true within another one. */
  quote(text: string, isQuoted: boolean): string;
  item(blocks: readonly string[], start: ItemStart): string;
  /** The text of a status or of a file; not blank. */
  smallPrint(plain: string): string;
}
