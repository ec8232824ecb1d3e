import type { Message } from '@earendil-works/pi-ai';

const BYTES_PER_TOKEN = 3;
const TOKENS_PER_IMAGE = 1_600;
/** Tokens of the role, the separators and the ids of each message. */
const TOKENS_PER_MESSAGE = 8;

/**
 * Estimates the tokens of a text, rather too many than too few: a token of English has about four bytes, one of other
 * scripts or of code two to three. An exact count would need the tokenizer of each model.
 */
export function estimateText(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / BYTES_PER_TOKEN);
}

/** Estimates the tokens of messages. */
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

/** Truncates `text` to about `tokens` tokens and appends a note about the rest. */
export function cutText(text: string, tokens: number): string {
  if (estimateText(text) <= tokens) return text;
  const kept = Buffer.from(text)
    .subarray(0, tokens * BYTES_PER_TOKEN)
    .toString('utf8')
    .replace(/\uFFFD+$/, '');
  return `${kept}\n[${text.length - kept.length} more characters are left out]`;
}
