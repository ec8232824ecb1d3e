/** Begins each token that was made at run time: others cost no look-up, and in a text it is recognised without knowing it. */
export const TOKEN_PREFIX = 'oct_';
