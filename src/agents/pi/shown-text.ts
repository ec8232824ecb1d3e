import type { AgentEvent } from '../../core/turns/agent-runtime.js';
import { ThoughtFilter } from './thoughts.js';

/** The text of one answer as people see it: its parts as paragraphs, without thoughts. */
export class ShownText {
  private part: number | undefined;
  private filter = new ThoughtFilter();
  private hasText = false;
  private isNewPart = false;

  /** Takes a portion of part number `part` of the answer. */
  push(part: number, portion: string): AgentEvent[] {
    const ended = part === this.part ? [] : this.end();
    if (part !== this.part) {
      this.part = part;
      this.filter = new ThoughtFilter();
      this.isNewPart = this.hasText;
    }
    const { text, takesBack } = this.filter.push(portion);
    if (!takesBack) return [...ended, ...this.show(text)];
    this.hasText = false;
    this.isNewPart = false;
    return [{ type: 'restart_answer' }, ...this.show(text)];
  }

  /** Ends the part that is being received. */
  end(): AgentEvent[] {
    return this.show(this.filter.end());
  }

  private show(text: string): AgentEvent[] {
    if (text === '') return [];
    const shown = this.isNewPart ? `\n\n${text}` : text;
    this.hasText = true;
    this.isNewPart = false;
    return [{ type: 'text', text: shown }];
  }
}
