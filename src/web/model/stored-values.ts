import type { Attachment, CanvasAction } from '../../client/index.js';

/** A stored conversation. */
export interface KnownConversation {
  readonly sender: string;
  readonly sessionId?: string;
  readonly title?: string;
  /** True when a person gave the title. */
  readonly isNamed?: boolean;
  readonly isPinned?: boolean;
  /** The principal that began it, if that is another one than the person of this browser. */
  readonly founder?: string;
  /** The time of its last message, in Unix milliseconds. */
  readonly lastAt?: number;
  /** The position in the session's log up to which it was seen. */
  readonly seenUpTo?: number;
}

/** A message that the gateway has not acknowledged yet. */
export interface UnsentMessage {
  readonly id: string;
  readonly sender: string;
  readonly content: string;
  readonly attachments?: readonly Attachment[] | undefined;
  /** The ref of the message in whose place it is sent. */
  readonly supersedes?: string | undefined;
  /** The action of the person on a surface. */
  readonly canvas?: CanvasAction | undefined;
}

/** The values that a person has entered on a surface, on top of the data that the agent gave. */
export interface Entered {
  /** The version with which the surface began. */
  readonly since: number;
  /** The data of the agent, on which `local` is based. */
  readonly base: unknown;
  readonly local: unknown;
}

/** A file that the gateway stores, with the id under which it does. */
export type StoredFile = Attachment & Required<Pick<Attachment, 'media_id'>>;

/** Where a person stopped reading a conversation: its topmost message, and where that or a block of it stood. */
export interface ReadingPosition {
  readonly messageRef: string;
  /** The index of the topmost block of its answer, if there was one. */
  readonly part?: number;
  /** The distance of the message or block from the top of the window of the thread, in pixels. */
  readonly offset: number;
}

/** Parses a stored list and drops malformed entries, because other programs can write to a browser's storage. */
export function readList<T>(source: string | undefined, isEntry: (entry: unknown) => entry is T): readonly T[] {
  try {
    const list: unknown = JSON.parse(source ?? '[]');
    return Array.isArray(list) ? list.filter(isEntry) : [];
  } catch {
    return [];
  }
}

export function isKnownConversation(entry: unknown): entry is KnownConversation {
  if (!isRecord(entry)) return false;
  const { sender, sessionId, title, founder, isNamed, isPinned, lastAt, seenUpTo } = entry;
  return (
    isName(sender) &&
    [sessionId, title, founder].every(isOptionalText) &&
    [isNamed, isPinned].every((value) => value === undefined || typeof value === 'boolean') &&
    [lastAt, seenUpTo].every((value) => value === undefined || Number.isFinite(value))
  );
}

export function isUnsentMessage(entry: unknown): entry is UnsentMessage {
  if (!isRecord(entry) || !isName(entry['id']) || !isName(entry['sender'])) return false;
  const { content, attachments, supersedes, canvas } = entry;
  if (!isOptionalText(supersedes) || !(canvas === undefined || isRecord(canvas))) return false;
  if (attachments === undefined) return isName(content);
  return (
    typeof content === 'string' &&
    Array.isArray(attachments) &&
    (isName(content) || attachments.length > 0) &&
    attachments.every(isStoredFile)
  );
}

export function isEnteredEntry(entry: unknown): entry is readonly [string, Entered] {
  return Array.isArray(entry) && isName(entry[0]) && isRecord(entry[1]) && Number.isSafeInteger(entry[1]['since']);
}

export function isReadingPosition(entry: unknown): entry is ReadingPosition {
  if (!isRecord(entry) || !isName(entry['messageRef']) || !Number.isFinite(entry['offset'])) return false;
  return entry['part'] === undefined || Number.isSafeInteger(entry['part']);
}

export function isStoredFile(entry: unknown): entry is StoredFile {
  return isRecord(entry) && /^(?:image|audio|video|file)$/.test(String(entry['kind'])) && isName(entry['media_id']);
}

function isRecord(entry: unknown): entry is Record<string, unknown> {
  return typeof entry === 'object' && entry !== null;
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isOptionalText(value: unknown): boolean {
  return value === undefined || typeof value === 'string';
}
