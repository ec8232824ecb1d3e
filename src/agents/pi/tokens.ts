import type { Message } from '@earendil-works/pi-ai';

const BYTES_PER_TOKEN = 3;
const TOKENS_PER_IMAGE = 1_600;
/** Roles, separators and ids that go with each message. */
const TOKENS_PER_MESSAGE = 8;

/**
 * About how many tokens a text is, on the safe side: a token of English is four bytes, of other scripts and of code two
 * to three. No model's own counter is asked: the windows are large and the margins wide.
 */
export function estimateText(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / BYTES_PER_TOKEN);
}

/** About how many tokens messages are. */
export function estimateMessages(messages: readonly Message[]): number {
  return messages.reduce((sum, message) => sum + TOKENS_PER_MESSAGE + estimateContent(message.content), 0);
}

function estimateContent(content: Message['content']): number {
  if (typeof content === 'string') return estimateText(content);
  return content.reduce((sum, part) => {
    switch (part.type) {
      case 'text':
        return sum + estimateText(part.text);
      case 'thinking':
        return sum + estimateText(part.thinking);
      case 'toolCall':
        return sum + estimateText(part.name) + estimateText(JSON.stringify(part.arguments));
      case 'image':
        return sum + TOKENS_PER_IMAGE;
    }
  }, 0);
}

/** The beginning of `text` that is about `tokens` long, with a word about what is left out. */
export function cutText(text: string, tokens: number): string {
  if (estimateText(text) <= tokens) return text;
  const kept = Buffer.from(text)
    .subarray(0, tokens * BYTES_PER_TOKEN)
    .toString('utf8')
    .replace(/\uFFFD+$/, '');
  return `${kept}\n[${text.length - kept.length} more characters are left out]`;
}
