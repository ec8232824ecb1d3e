const TOKEN = 'openclaw.console.token';
/** Where the chat keeps its token in this tab: who is an operator there is one here too. */
const TOKEN_OF_CHAT = 'openclaw.webchat.token';
const PLACE = 'openclaw.console.place';

type EntryStore = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

/** The sign-in of this tab. It outlasts a reload, and ends with the tab. Without storage it ends with the page. */
export class ConsoleSession {
  readonly #values = new Map<string, string>();

  /** @param storage returns the tab's; it may throw */
  constructor(private readonly storage: () => EntryStore) {}

  /** Undefined in open mode, and when a cookie is the credential. */
  get token(): string | undefined {
    return this.#read(TOKEN) ?? this.#read(TOKEN_OF_CHAT);
  }

  set token(token: string | undefined) {
    this.#write(TOKEN, token);
  }

  /** True if the person signed in at the chat, not here. */
  get isOfChat(): boolean {
    return this.#read(TOKEN) === undefined && this.token !== undefined;
  }

  /** Forgets all tokens of this tab. */
  end(): void {
    this.#write(TOKEN, undefined);
    this.#write(TOKEN_OF_CHAT, undefined);
  }

  /** Keeps the address that was asked for, until the person is signed in: the way back from an identity provider loses it. */
  keepPlace(address: string): void {
    this.#write(PLACE, address);
  }

  /** Returns the address that was kept, and forgets it. */
  takePlace(): string | undefined {
    const address = this.#read(PLACE);
    this.#write(PLACE, undefined);
    return address;
  }

  #read(name: string): string | undefined {
    try {
      return this.#values.get(name) ?? this.storage().getItem(name) ?? undefined;
    } catch {
      return undefined;
    }
  }

  #write(name: string, value: string | undefined): void {
    this.#values.delete(name);
    try {
      if (value === undefined) this.storage().removeItem(name);
      else this.storage().setItem(name, value);
    } catch {
      if (value !== undefined) this.#values.set(name, value);
    }
  }
}
