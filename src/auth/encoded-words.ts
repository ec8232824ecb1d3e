/** An encoded word of RFC 2047. Others than UTF-8 do not occur. */
const WORD = /=\?utf-8\?([qb])\?([^?\s]*)\?=/gi;
const ONLY_WORDS = /^(=\?utf-8\?[qb]\?[^?\s]*\?=\s*)+$/i;

/**
 * Decodes the value of a header that is encoded by RFC 2047 where it is not ASCII. Undefined if it is not well-formed.
 */
export function decodeWords(value: string): string | undefined {
  if (!value.startsWith('=?')) return /^[\x20-\x7e]+$/.test(value) ? value : undefined;
  if (!ONLY_WORDS.test(value)) return undefined;
  const bytes = [...value.matchAll(WORD)].map(([, encoding = '', text = '']) =>
    encoding.toLowerCase() === 'b' ? Buffer.from(text, 'base64') : decodeQuoted(text),
  );
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(bytes));
  } catch {
    return undefined;
  }
}

function decodeQuoted(text: string): Buffer {
  const plain = text
    .replaceAll('_', ' ')
    .replaceAll(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(plain, 'latin1');
}
