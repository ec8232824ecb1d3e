/** The ID under which an operator's retry of a message is accepted, and the message that it goes back to. */
const RETRY = /^retry:(m_[\w-]+):\d+$/;

export function retryId(messageRef: string, n: number): string {
  return `retry:${messageRef}:${n}`;
}

/** Returns the ref of the message that a retry goes back to, from the retry's ID; undefined for any other message. */
export function readRetriedRef(messageId: string): string | undefined {
  return RETRY.exec(messageId)?.[1];
}
