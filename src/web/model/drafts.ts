import type { Attachment } from '../../client/index.js';
import type { Conversation } from './conversation.js';
import type { Conversations } from './conversations.js';
import type { PageStorage } from './page-storage.js';
import type { ReadingPosition } from './stored-values.js';

/** The drafts of this tab by conversation: an unsent text, uploaded files, and the place where the person stopped reading. */
export class Drafts {
  constructor(
    private readonly storage: PageStorage,
    private readonly conversations: Conversations,
  ) {}

  /** Returns the text for the shown conversation. */
  readText(): string {
    const { active } = this.conversations;
    return active ? this.storage.readDraft(active.sender) : '';
  }

  saveText(text: string): void {
    const { active } = this.conversations;
    if (active) this.storage.saveDraft(active.sender, text);
  }

  readFiles({ sender }: Conversation): readonly Attachment[] {
    return this.storage.readDraftFiles(sender);
  }

  /** Keeps the uploaded files for a conversation, unless it is gone. */
  saveFiles(conversation: Conversation, files: readonly Attachment[]): void {
    if (this.conversations.all.includes(conversation)) this.storage.saveDraftFiles(conversation.sender, files);
  }

  /** Returns where the person stopped reading the shown conversation; undefined at its end. */
  readPosition(): ReadingPosition | undefined {
    const { active } = this.conversations;
    return active && this.storage.readPosition(active.sender);
  }

  /** Keeps where the person stopped reading, unless the conversation is gone. */
  savePosition(conversation: Conversation, position: ReadingPosition | undefined): void {
    if (this.conversations.all.includes(conversation)) this.storage.savePosition(conversation.sender, position);
  }
}
