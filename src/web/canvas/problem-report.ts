import type { Chat } from '../model/chat.js';
import type { Conversation } from '../model/conversation.js';
import type { Surface } from '../model/surfaces.js';

/** The most problems that are reported of one version, and the most characters of one. */
const MAX_PROBLEMS = 5;
const MAX_LENGTH = 500;

/** Reports to the agent what cannot be drawn of a surface, each problem once. */
export class ProblemReport {
  private readonly told = new Set<string>();
  private version = '';

  constructor(
    private readonly find: () => {
      readonly chat: Chat;
      readonly conversation: Conversation;
      readonly surface: Surface;
    },
  ) {}

  add(problem: unknown): void {
    const { chat, conversation, surface } = this.find();
    const { surface_id, version } = surface;
    const { sessionId } = conversation.transcript;
    // The gateway takes no control characters.
    const text = String(problem)
      .replaceAll(/\p{Cc}+/gu, ' ')
      .trim()
      .slice(0, MAX_LENGTH);
    if (this.version !== `${surface_id} ${version}`) this.told.clear();
    this.version = `${surface_id} ${version}`;
    if (text === '' || sessionId === undefined || this.told.has(text) || this.told.size >= MAX_PROBLEMS) return;
    this.told.add(text);
    chat.link.client?.canvasProblem(sessionId, { surface_id, version, problem: text });
  }
}
