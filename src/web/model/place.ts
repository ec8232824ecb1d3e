/** A view of the page, as its address names it. An address holds no token, no text and nothing else that is secret. */
export interface Place {
  /** The name of a conversation, see `Conversations.nameOf`; undefined for the one that was shown last. */
  readonly conversation?: string;
  /** The ref of a message in it that is to be shown. */
  readonly message?: string;
  /** The surface that is shown beside it. */
  readonly surface?: string;
  /** The panels over the conversation. */
  readonly panel?: Panel | undefined;
}

/** The list of conversations in a narrow window, or the list of the keys. */
export type Panel = 'list' | 'keys';

/** No name and no ref is longer. */
const MAX_NAME_LENGTH = 256;

/** Reads a place from the fragment of an address. Whatever else it holds is ignored. */
export function readPlace(fragment: string): Place {
  const values = new URLSearchParams(fragment.replace(/^#/, ''));
  const read = (key: string) => {
    // A copied link may end with a space.
    const value = (values.get(key) ?? '').trim();
    return value === '' || value.length > MAX_NAME_LENGTH ? undefined : value;
  };
  const [conversation, message, panel] = [read('conversation'), read('message'), read('panel')];
  const surface = read('surface');
  return {
    ...(conversation !== undefined && { conversation }),
    ...(message !== undefined && { message }),
    ...(surface !== undefined && { surface }),
    ...((panel === 'list' || panel === 'keys') && { panel }),
  };
}

/** Returns the fragment of a place, with its `#`; empty for the place without a name. */
export function writePlace(place: Place): string {
  const values = new URLSearchParams();
  for (const key of ['conversation', 'message', 'surface', 'panel'] as const) {
    const value = place[key];
    if (value !== undefined) values.set(key, value);
  }
  return values.size === 0 ? '' : `#${values}`;
}
