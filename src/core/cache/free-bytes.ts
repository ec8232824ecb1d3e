/**
 * Frees the memory of bytes that are no longer needed, which must have no other user. V8 does not know how much memory the
 * bytes of sockets hold, and would collect them only after tens of MiB. Does nothing to bytes that share their buffer.
 */
export function freeBytes({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
}
