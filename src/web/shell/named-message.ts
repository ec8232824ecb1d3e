import type { ReactiveControllerHost } from 'lit';
import type { Toast } from '../design/toast.js';
import type { Chat } from '../model/chat.js';
import { texts } from '../texts.js';
import type { ScrollKeeper } from '../thread/scroll-keeper.js';
import type { Places } from './places.js';

/** The parts of the page that a {@link NamedMessage} uses. */
export interface NamedMessagePage {
  readonly chat: Chat;
  readonly places: Places;
  readonly keeper: ScrollKeeper;
  readonly toast: Toast;
}

/** The message that the address names, which is shown once. */
export class NamedMessage {
  constructor(
    private readonly host: ReactiveControllerHost,
    private readonly page: () => NamedMessagePage,
  ) {}

  /** Reads back to the message and shows it, or says why it is not shown. */
  async show(): Promise<void> {
    const { chat, places } = this.page();
    const { active } = chat;
    const { message } = places;
    if (!active || message === undefined) return;
    const isAllRead = await chat.reader.loadUntil(active, message);
    await this.host.updateComplete;
    requestAnimationFrame(() => {
      if (chat.active === active && places.message === message) this.#conclude(message, isAllRead);
    });
  }

  #conclude(message: string, isAllRead: boolean): void {
    const { chat, places, keeper, toast } = this.page();
    if (keeper.show(message)) return places.messageShown();
    // Without a connection it is looked for as soon as there is one.
    if (!isAllRead && !chat.isConnected) return;
    if (isAllRead) toast.show(texts.absent.message);
    else toast.show(texts.absent.unread, texts.media.tryAgain, () => places.go(places.current));
    places.messageMissing();
  }
}
