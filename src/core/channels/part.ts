import type { Place } from './place.js';

/**
 * A piece of text of one kind. `code` may have a language; `status` is small print; `text` is shown as it is. `image`,
 * `audio` and `file` are files, each the only text of its part; their text stands for them where the platform takes none. A
 * `file` is a code block that is too long for a message; it is used where `Capabilities.media` has the kind.
 */
export interface PartText {
  readonly kind: 'markdown' | 'text' | 'code' | 'status' | 'image' | 'audio' | 'file';
  readonly text: string;
  readonly language?: string | undefined;
  /** Files only: the argument of `ChannelLink.openFile`. */
  readonly source?: string | undefined;
  /** Files only: a text that describes the file. */
  readonly alt?: string | undefined;
  /** Kind `file` only: its name. */
  readonly name?: string | undefined;
}

/** A button below a message. */
export interface Button {
  /** At most 20 characters. */
  readonly text: string;
  /** At most 64 ASCII characters. The platform returns it with a press, and {@link commandOf} reads it. */
  readonly data: string;
}

/**
 * Returns the content of the message that the press of a button is; undefined for data that is none of the gateway's. A press
 * is an update of the person who pressed, with an ID such as `acme:BOT:cb:PRESS`. The driver confirms the press to the platform first.
 */
export function commandOf(data: string): string | undefined {
  const [, letter, id] = /^([ad]):([A-Za-z0-9_-]+)$/.exec(data) ?? [];
  return id === undefined ? undefined : `/${letter === 'a' ? 'approve' : 'deny'} ${id}`;
}

/** The content of one call: at most one message of the platform. */
export interface Part {
  /** The same for every try, also after a restart: for a nonce, or a field of the message that can be searched for. */
  readonly id: string;
  readonly place: Place;
  readonly texts: readonly PartText[];
  /** Before its first try, in Unix milliseconds. */
  readonly createdAt: number;
  /** Where `Capabilities.buttons` is true. An edit without buttons takes them away. */
  readonly buttons?: readonly Button[] | undefined;
  /** True while an edit may add to it. */
  readonly isGrowing?: boolean | undefined;
}
