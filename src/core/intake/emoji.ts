/** One emoji, with or without its variation selector, or the `:name:` of a platform's own. */
const EMOJI = new RegExp(String.raw`^(?:\p{RGI_Emoji}|\p{Extended_Pictographic}|:[\w+\-]{1,62}:)$`, 'v');

/** Returns whether a text may be a reaction. */
export function isEmoji(text: string): boolean {
  return EMOJI.test(text);
}
