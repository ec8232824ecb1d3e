import type { Attachment } from '../../client/index.js';
import {
  isKnownConversation,
  isReadingPosition,
  isStoredFile,
  isEnteredEntry,
  isUnsentMessage,
  readList,
  type Entered,
  type KnownConversation,
  type ReadingPosition,
  type StoredFile,
  type UnsentMessage,
} from './stored-values.js';

const PREFIX = 'openclaw.webchat.';
const LIST = `${PREFIX}list`;
const SINGLE_KEYS = `${PREFIX}single_keys`;
const IS_BOUND = `${PREFIX}is_bound`;
const TOKEN = `${PREFIX}token`;
const CLIENT_ID = `${PREFIX}client_id`;
const PERSON = `${PREFIX}person`;
const SIGNED_OUT = `${PREFIX}signed_out`;

/** The names of what belongs to a person. */
const CONVERSATIONS = 'conversations';
const BOUND = 'bound';
const UNSENT = 'unsent.';
const ACTIVE = 'active';
const BLANK = 'blank';
const DRAFT = 'draft.';
const DRAFT_FILES = 'draft_files.';
const POSITION = 'position.';
const ENTERED = 'entered.';
const LEAVING = 'leaving';
const DENIED = 'denied';

/** Surfaces of a conversation of which a tab keeps what was entered. */
const MAX_ENTERED = 20;

/** Calls that a tab remembers to have denied. */
const MAX_DENIED = 200;

/** The part of a browser's `Storage` that the page uses. */
type EntryStore = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

/**
 * The page's data in the browser: conversations for all tabs (`localStorage`); the token, the client id, drafts, reading
 * positions and unsent messages for the tab (`sessionStorage`), so that a reload loses nothing and two tabs are two
 * clients.
 *
 * What people write and read is stored for the {@link person} who is signed in: another one who signs in on this device
 * neither sees nor sends it.
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

  /** The same of the list of conversations, which all tabs share. */
  get isListLasting(): boolean {
    return !this.#forBrowser.isRefused;
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
    return this.clientId;
  }

  /** The person who is signed in in this tab, or was last: a tenant and a principal. Undefined when it is not known. */
  get person(): string | undefined {
    return this.#forTab.read(PERSON);
  }

  set person(person: string | undefined) {
    this.#forTab.write(PERSON, person);
  }

  /** True after the {@link person} has signed out, or lost their access, until the gateway has identified the page again. */
  get isSignedOut(): boolean {
    return this.#forTab.read(SIGNED_OUT) !== undefined;
  }

  set isSignedOut(isSignedOut: boolean) {
    this.#forTab.write(SIGNED_OUT, isSignedOut ? 'yes' : undefined);
  }

  get conversations(): readonly KnownConversation[] {
    return readList(this.#forBrowser.read(this.#own(CONVERSATIONS)), isKnownConversation);
  }

  set conversations(conversations: readonly KnownConversation[]) {
    this.#forBrowser.write(this.#own(CONVERSATIONS), JSON.stringify(conversations));
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
    return readList(this.#forBrowser.read(this.#own(BOUND)), isKnownConversation)[0];
  }

  set bound(conversation: KnownConversation) {
    this.#forBrowser.write(this.#own(BOUND), JSON.stringify([conversation]));
    this.#forBrowser.write(IS_BOUND, 'yes');
  }

  /** True when this browser has shown a page that is bound to one sender. */
  get wasBound(): boolean {
    return this.#forBrowser.read(IS_BOUND) !== undefined;
  }

  /** Returns true when a storage event for `key` means that another tab changed the conversations. */
  isAboutConversations(key: string | null): boolean {
    return key === this.#own(CONVERSATIONS) || key === this.#own(BOUND);
  }

  /** The sender of the conversation that was shown last. */
  get active(): string | undefined {
    return this.#forTab.read(this.#own(ACTIVE));
  }

  set active(sender: string | undefined) {
    this.#forTab.write(this.#own(ACTIVE), sender);
  }

  /** The sender of the conversation without a message, to which a draft may belong. */
  get blank(): string | undefined {
    return this.#forTab.read(this.#own(BLANK));
  }

  set blank(sender: string | undefined) {
    this.#forTab.write(this.#own(BLANK), sender);
  }

  /** The messages of the person that this tab has sent under its client id. */
  get unsent(): readonly UnsentMessage[] {
    return readList(this.#forTab.read(this.#unsentKey), isUnsentMessage);
  }

  addUnsent(message: UnsentMessage): void {
    this.#writeUnsent([...this.unsent.filter(({ id }) => id !== message.id), message]);
  }

  removeUnsent(id: string): void {
    this.#writeUnsent(this.unsent.filter((message) => message.id !== id));
  }

  readDraft(sender: string): string {
    return this.#forTab.read(this.#own(DRAFT + sender)) ?? '';
  }

  saveDraft(sender: string, draft: string): void {
    this.#forTab.write(this.#own(DRAFT + sender), draft === '' ? undefined : draft);
  }

  /** The uploaded files of a draft. */
  readDraftFiles(sender: string): readonly StoredFile[] {
    return readList(this.#forTab.read(this.#own(DRAFT_FILES + sender)), isStoredFile);
  }

  saveDraftFiles(sender: string, files: readonly Attachment[]): void {
    this.#forTab.write(this.#own(DRAFT_FILES + sender), files.length === 0 ? undefined : JSON.stringify(files));
  }

  /** Undefined for a conversation that was left at its end. */
  readPosition(sender: string): ReadingPosition | undefined {
    return readList(this.#forTab.read(this.#own(POSITION + sender)), isReadingPosition)[0];
  }

  savePosition(sender: string, position: ReadingPosition | undefined): void {
    this.#forTab.write(this.#own(POSITION + sender), position && JSON.stringify([position]));
  }

  /** The values that are entered on the surfaces of a conversation, by surface. */
  readEntered(sender: string): Readonly<Record<string, Entered>> {
    const entries = readList(this.#forTab.read(this.#own(ENTERED + sender)), isEnteredEntry);
    return Object.fromEntries(entries);
  }

  saveEntered(sender: string, entered: Readonly<Record<string, Entered>>): void {
    const entries = Object.entries(entered).slice(-MAX_ENTERED);
    this.#forTab.write(this.#own(ENTERED + sender), JSON.stringify(entries));
  }

  /** True when the person is signed out once their messages are sent. */
  get isLeaving(): boolean {
    return this.#forTab.read(this.#own(LEAVING)) !== undefined;
  }

  set isLeaving(isLeaving: boolean) {
    this.#forTab.write(this.#own(LEAVING), isLeaving ? 'yes' : undefined);
  }

  /** The tool calls that the person has denied in this tab, as they were added. */
  get denied(): readonly string[] {
    return readList(this.#forTab.read(this.#own(DENIED)), (entry) => typeof entry === 'string');
  }

  addDenied(call: string): void {
    this.#forTab.write(this.#own(DENIED), JSON.stringify([...this.denied, call].slice(-MAX_DENIED)));
  }

  #writeUnsent(messages: readonly UnsentMessage[]): void {
    this.#forTab.write(this.#unsentKey, messages.length === 0 ? undefined : JSON.stringify(messages));
  }

  /** A duplicated tab has a client id of its own: it must not send these a second time. */
  get #unsentKey(): string {
    return this.#own(UNSENT + this.clientId);
  }

  #own(name: string): string {
    const { person } = this;
    return `${PREFIX}${person === undefined ? '' : `${person}.`}${name}`;
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
