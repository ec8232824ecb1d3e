import type { Attachment } from '../../client/index.js';

/** A stored conversation. */
export interface KnownConversation {
  readonly sender: string;
  readonly sessionId?: string;
  readonly title?: string;
  /** True when a person gave the title. */
  readonly isNamed?: boolean;
  readonly isPinned?: boolean;
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
}

const PREFIX = 'openclaw.webchat.';
const CONVERSATIONS = `${PREFIX}conversations`;
const LIST = `${PREFIX}list`;
const SINGLE_KEYS = `${PREFIX}single_keys`;
const BOUND = `${PREFIX}bound`;
const UNSENT = `${PREFIX}unsent`;
const TOKEN = `${PREFIX}token`;
const CLIENT_ID = `${PREFIX}client_id`;
const ACTIVE = `${PREFIX}active`;
const DRAFT = `${PREFIX}draft.`;

/** The part of a browser's `Storage` that the page uses. */
type EntryStore = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

/**
 * The page's data in the browser: conversations for all tabs (`localStorage`); the token, the client id, drafts and
 * unsent messages for the tab (`sessionStorage`), so that a reload loses nothing and two tabs are two clients.
 *
 * When the browser refuses storage, values are kept in memory until the page is left.
 */
export class PageStorage {
  readonly #forBrowser: Shelf;
  readonly #forTab: Shelf;

  constructor(storages: () => { readonly local: EntryStore; readonly session: EntryStore }) {
    this.#forBrowser = new Shelf(() => storages().local);
    this.#forTab = new Shelf(() => storages().session);
  }

  /** True when what the tab keeps outlasts a reload: the browser has refused none of it. */
  get isLasting(): boolean {
    return !this.#forTab.isRefused;
  }

  get token(): string | undefined {
    return this.#forTab.read(TOKEN);
  }

  set token(token: string | undefined) {
    this.#forTab.write(TOKEN, token);
  }

  /** The tab's client id; generated on first use. */
  get clientId(): string {
    const known = this.#forTab.read(CLIENT_ID);
    if (known !== undefined) return known;
    const clientId = makeName();
    this.#forTab.write(CLIENT_ID, clientId);
    return clientId;
  }

  /** Generates a new client id for this tab. Unsent messages stay with the tab that has the old one. */
  renewClientId(): string {
    this.#forTab.write(CLIENT_ID, undefined);
    this.#forTab.write(UNSENT, undefined);
    return this.clientId;
  }

  get conversations(): readonly KnownConversation[] {
    return readList(this.#forBrowser.read(CONVERSATIONS), isKnownConversation);
  }

  set conversations(conversations: readonly KnownConversation[]) {
    this.#forBrowser.write(CONVERSATIONS, JSON.stringify(conversations));
  }

  /**
   * Stores one conversation. The others stay as they are stored, by this tab or another; of this one stays what another
   * tab has shown more of.
   */
  putConversation(conversation: KnownConversation): void {
    const { sender, sessionId, seenUpTo = 0 } = conversation;
    const { conversations } = this;
    const stored = conversations.find((each) => each.sender === sender && each.sessionId === sessionId);
    const seen = Math.max(seenUpTo, stored?.seenUpTo ?? 0);
    const others = conversations.filter((each) => each.sender !== sender);
    this.conversations = [{ ...conversation, ...(seen > 0 && { seenUpTo: seen }) }, ...others];
  }

  dropConversation(sender: string): void {
    this.conversations = this.conversations.filter((each) => each.sender !== sender);
  }

  /** True when the list of conversations is folded away. */
  get isListClosed(): boolean {
    return this.#forBrowser.read(LIST) === 'closed';
  }

  set isListClosed(isClosed: boolean) {
    this.#forBrowser.write(LIST, isClosed ? 'closed' : undefined);
  }

  /** True when keys without a modifier act as commands, outside of fields. */
  get hasSingleKeys(): boolean {
    return this.#forBrowser.read(SINGLE_KEYS) !== 'off';
  }

  set hasSingleKeys(isOn: boolean) {
    this.#forBrowser.write(SINGLE_KEYS, isOn ? undefined : 'off');
  }

  /** The conversation of the pages that are bound to one sender. Other tabs read its session. */
  get bound(): KnownConversation | undefined {
    return readList(this.#forBrowser.read(BOUND), isKnownConversation)[0];
  }

  set bound(conversation: KnownConversation) {
    this.#forBrowser.write(BOUND, JSON.stringify([conversation]));
  }

  /** Returns true when a storage event for `key` means that another tab changed the conversations. */
  isAboutConversations(key: string | null): boolean {
    return key === CONVERSATIONS || key === BOUND;
  }

  /** The sender of the conversation that was shown last. */
  get active(): string | undefined {
    return this.#forTab.read(ACTIVE);
  }

  set active(sender: string | undefined) {
    this.#forTab.write(ACTIVE, sender);
  }

  get unsent(): readonly UnsentMessage[] {
    return readList(this.#forTab.read(UNSENT), isUnsentMessage);
  }

  addUnsent(message: UnsentMessage): void {
    this.#forTab.write(UNSENT, JSON.stringify([...this.unsent.filter(({ id }) => id !== message.id), message]));
  }

  removeUnsent(id: string): void {
    this.#forTab.write(UNSENT, JSON.stringify(this.unsent.filter((message) => message.id !== id)));
  }

  readDraft(sender: string): string {
    return this.#forTab.read(DRAFT + sender) ?? '';
  }

  saveDraft(sender: string, draft: string): void {
    this.#forTab.write(DRAFT + sender, draft === '' ? undefined : draft);
  }
}

/** Returns a unique name for a tab or a sender, with 80 random bits. */
export function makeName(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(10));
  return `web-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

/** One storage, with an in-memory fallback for values that it refuses. */
class Shelf {
  readonly #own = new Map<string, string>();

  constructor(private readonly storage: () => EntryStore) {}

  /** True when a value is in memory only. */
  get isRefused(): boolean {
    return this.#own.size > 0;
  }

  read(key: string): string | undefined {
    try {
      return this.#own.get(key) ?? this.storage().getItem(key) ?? undefined;
    } catch {
      return undefined;
    }
  }

  write(key: string, value: string | undefined): void {
    this.#own.delete(key);
    try {
      if (value === undefined) this.storage().removeItem(key);
      else this.storage().setItem(key, value);
    } catch {
      if (value !== undefined) this.#own.set(key, value);
    }
  }
}

/** Parses a stored list and drops malformed entries, because other programs can write to a browser's storage. */
function readList<T>(source: string | undefined, isEntry: (entry: unknown) => entry is T): readonly T[] {
  try {
    const list: unknown = JSON.parse(source ?? '[]');
    return Array.isArray(list) ? list.filter(isEntry) : [];
  } catch {
    return [];
  }
}

function isKnownConversation(entry: unknown): entry is KnownConversation {
  if (!isRecord(entry)) return false;
  const { sender, sessionId, title, isNamed, isPinned, lastAt, seenUpTo } = entry;
  return (
    isName(sender) &&
    [sessionId, title].every(isOptionalText) &&
    [isNamed, isPinned].every((value) => value === undefined || typeof value === 'boolean') &&
    [lastAt, seenUpTo].every((value) => value === undefined || Number.isFinite(value))
  );
}

function isUnsentMessage(entry: unknown): entry is UnsentMessage {
  if (!isRecord(entry) || !isName(entry['id']) || !isName(entry['sender'])) return false;
  const { content, attachments, supersedes } = entry;
  if (!isOptionalText(supersedes)) return false;
  if (attachments === undefined) return isName(content);
  return (
    typeof content === 'string' &&
    Array.isArray(attachments) &&
    (isName(content) || attachments.length > 0) &&
    attachments.every(isStoredFile)
  );
}

function isStoredFile(entry: unknown): boolean {
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
