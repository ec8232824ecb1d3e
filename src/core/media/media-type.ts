/** Leading bytes needed to detect the type of a file. */
export const SNIFF_BYTES = 4_100;

/**
 * Detects the type of a file by its first bytes; undefined when it is not known. Text is what is UTF-8 without control characters. What
 * a browser would run (HTML, SVG) is text, and never served as anything else.
 */
export async function detectMediaType(head: Uint8Array): Promise<string | undefined> {
  // Loaded with the first upload: most gateways never see one.
  const { fileTypeFromBuffer } = await import('file-type');
  const known = await fileTypeFromBuffer(head);
  if (known) return known.mime === 'application/xml' ? 'text/plain' : known.mime;
  return isPlainText(head) ? 'text/plain' : undefined;
}

function isPlainText(head: Uint8Array): boolean {
  try {
    // A character may be cut at the end of what was read so far: `stream` leaves it for later.
    const text = new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true });
    // oxlint-disable-next-line no-control-regex -- control characters distinguish binary from text
    return !/[\u0000-\u0008\u000e-\u001f]/.test(text);
  } catch {
    return false;
  }
}
