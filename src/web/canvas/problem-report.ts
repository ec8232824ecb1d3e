import type { Chat } from '../model/chat.js';
import type { Conversation } from '../model/conversation.js';
import type { Surface } from '../model/surfaces.js';

/** Maximum number of problems that are reported for one version, and of characters of one. */
const MAX_PROBLEMS = 5;
const MAX_LENGTH = 500;

/** Reports problems of drawing a surface to its agent, each once. */
export class ProblemReport {
  private readonly reported = new Set<string>();
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
    if (this.version !== `${surface_id} ${version}`) this.reported.clear();
    this.version = `${surface_id} ${version}`;
    if (text === '' || sessionId === undefined || this.reported.has(text) || this.reported.size >= MAX_PROBLEMS) return;
    this.reported.add(text);
    chat.link.client?.canvasProblem(sessionId, { surface_id, version, problem: text });
  }
}
