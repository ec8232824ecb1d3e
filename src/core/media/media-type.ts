/** Leading bytes needed to detect the type of a file. */
export const SNIFF_BYTES = 4_100;

/**
 * Detects the type of a file by its first bytes; resolves with undefined if it is unknown. UTF-8 without control
 * characters is text. Formats that a browser would execute (HTML, SVG) are text too and never served as anything else.
 */
export async function detectMediaType(head: Uint8Array): Promise<string | undefined> {
  // Loaded with the first upload: most gateways never get one.
  const { fileTypeFromBuffer } = await import('file-type');
  const known = await fileTypeFromBuffer(head);
  if (known?.mime === 'application/xml') return 'text/plain';
  if (known?.mime === 'video/mp4' && isSoundAlone(head)) return 'audio/mp4';
  // The same container under the brand of Apple.
  if (known?.mime === 'audio/x-m4a') return 'audio/mp4';
  if (known) return known.mime;
  return isPlainText(head) ? 'text/plain' : undefined;
}

/** Returns whether the tracks of an MP4 file are sound: browsers record it under the brand of a video. */
function isSoundAlone(head: Uint8Array): boolean {
  const text = Buffer.from(head).toString('latin1');
  const hasTrack = (kind: string) => new RegExp(`hdlr.{8}${kind}`, 's').test(text);
  return hasTrack('soun') && !hasTrack('vide');
}

function isPlainText(head: Uint8Array): boolean {
  try {
    // The head may end in the middle of a character, which `stream` tolerates.
    const text = new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true });
    // oxlint-disable-next-line no-control-regex -- control characters distinguish binary from text
    return !/[\u0000-\u0008\u000e-\u001f]/.test(text);
  } catch {
    return false;
  }
}
