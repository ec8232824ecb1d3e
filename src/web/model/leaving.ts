import type { Conversations } from './conversations.js';
import { CHAT, isSignedIn, signOutOfProvider } from './identity-provider.js';
import type { GatewayLink } from './gateway-link.js';
import type { Outbox } from './outbox.js';
import type { PageStorage } from './page-storage.js';
import { Signal } from './signal.js';

/** The treatment of unsent messages when a person signs out. */
export type Fate = 'send' | 'keep' | 'discard';

/** Signs a person out, at once or when their messages are sent. */
export class Leaving {
  /** Emitted when the person has left. */
  readonly left = new Signal();

  /** True if an identity provider has signed the person in: the page holds no token then. */
  private isSignedIn = false;

  constructor(
    private readonly storage: PageStorage,
    private readonly outbox: Outbox,
    private readonly conversations: Conversations,
    private readonly link: GatewayLink,
    private readonly changed: () => void,
  ) {
    link.identified.subscribe(() => void this.checkSignIn());
  }

  /** False for who gave no credential: there is nothing to sign out of. */
  get canLeave(): boolean {
    return this.storage.token !== undefined || this.isSignedIn;
  }

  /** True while the page waits until the messages are sent. */
  get isWaiting(): boolean {
    return this.storage.isLeaving;
  }

  /** True while a conversation has a draft: a text or uploaded files. */
  get hasDrafts(): boolean {
    const { storage, conversations } = this;
    return conversations.all.some(
      ({ sender }) => storage.readDraft(sender) !== '' || storage.readDraftFiles(sender).length > 0,
    );
  }

  /**
   * Signs out. Messages that are not sent are sent before, or kept in this tab until the same person signs in again, or
   * discarded. Drafts with their uploaded files are discarded with them, and kept otherwise.
   */
  leave(fate: Fate): void {
    this.storage.isLeaving = fate === 'send';
    if (fate === 'send') {
      this.check();
      return this.changed();
    }
    if (fate === 'discard') {
      for (const { id } of this.outbox.messages) this.outbox.remove(id, false);
      for (const { sender } of this.conversations.all) {
        this.storage.saveDraft(sender, '');
        this.storage.saveDraftFiles(sender, []);
      }
    }
    this.conversations.clear();
    const isByCookie = this.storage.token === undefined;
    this.link.signOut();
    this.left.emit();
    if (isByCookie) void signOutOfProvider(CHAT);
  }

  private async checkSignIn(): Promise<void> {
    this.isSignedIn = this.storage.token === undefined && (await isSignedIn(CHAT));
    if (this.isSignedIn) this.changed();
  }

  stay(): void {
    this.storage.isLeaving = false;
    this.changed();
  }

  /** Signs out if that has been waited for and all messages are sent. */
  check(): void {
    if (this.isWaiting && this.outbox.messages.length === 0) this.leave('keep');
  }
}
