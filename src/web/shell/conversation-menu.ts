import { copyText } from '../design/clipboard.js';
import { icons } from '../design/icons.js';
import type { MenuItem } from '../design/menu.js';
import type { Toast } from '../design/toast.js';
import type { Chat } from '../model/chat.js';
import type { Conversation } from '../model/conversation.js';
import { texts } from '../texts.js';

const loadWriter = () => import('../thread/conversation-text.js');

/** The commands for a conversation, in the menus of the list and of the header. */
export class ConversationMenu {
  constructor(
    private readonly toast: Toast,
    /** Lets the person type another title. */
    private readonly startRenaming: (conversation: Conversation) => void,
  ) {}

  /** The commands for a conversation of the list. */
  list(chat: Chat, conversation: Conversation): readonly MenuItem[] {
    const { menu } = texts.conversations;
    const { isPinned } = conversation;
    return [
      { icon: icons.rename, label: menu.rename, key: 'F2', act: () => this.startRenaming(conversation) },
      {
        icon: isPinned ? icons.unpin : icons.pin,
        label: isPinned ? menu.unpin : menu.pin,
        act: () => {
          chat.change(conversation, () => (conversation.isPinned = !isPinned));
          this.checkKept(chat);
        },
      },
      ...this.listTexts(chat, conversation),
      { icon: icons.remove, label: menu.remove, act: () => this.remove(chat, conversation) },
    ];
  }

  /** The commands that write a conversation as text: copy and save. */
  listTexts(chat: Chat, conversation: Conversation): readonly MenuItem[] {
    const { menu } = texts.conversations;
    return [
      {
        icon: icons.copy,
        label: menu.copy,
        act: () => void this.withAll(chat, conversation, () => this.copy(chat, conversation)),
      },
      {
        icon: icons.save,
        label: menu.save,
        act: () => void this.withAll(chat, conversation, () => this.save(chat, conversation)),
      },
    ];
  }

  /** Says so when the browser has not stored a change of the list. */
  checkKept(chat: Chat): void {
    if (!chat.conversations.isLasting) this.toast.show(texts.conversations.notKept);
  }

  private remove(chat: Chat, conversation: Conversation): void {
    this.toast.show(texts.conversations.removed, texts.conversations.undo, chat.remove(conversation));
  }

  /** Has all of a conversation read, then acts. If a part is missing, the person may act on the rest. */
  async withAll(chat: Chat, conversation: Conversation, act: () => Promise<void> | void): Promise<void> {
    if (await chat.reader.loadAll(conversation)) return act();
    this.toast.show(texts.conversations.incomplete, texts.conversations.anyway, () => void act());
  }

  private async copy(chat: Chat, conversation: Conversation): Promise<void> {
    const isCopied = await this.write((writer) => copyText(writer.writeConversation(conversation, chat.link)));
    if (isCopied !== undefined) this.toast.show(isCopied ? texts.copying.done : texts.conversations.notCopied);
  }

  private async save(chat: Chat, conversation: Conversation): Promise<void> {
    await this.write((writer) => writer.saveConversation(conversation, chat.link));
  }

  /** Writes a conversation with what is loaded for it. Resolves with undefined, and says so, when that fails. */
  private async write<T>(
    write: (writer: Awaited<ReturnType<typeof loadWriter>>) => T,
  ): Promise<Awaited<T> | undefined> {
    try {
      return await write(await loadWriter());
    } catch {
      this.toast.show(texts.conversations.notWritten);
      return undefined;
    }
  }
}
