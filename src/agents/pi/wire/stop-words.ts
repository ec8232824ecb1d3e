/** Why an answer ended, in the words that all wires can express. */
export type StopKind = 'end' | 'length' | 'tools' | 'refusal' | 'failure';

const KINDS: readonly (readonly [StopKind, RegExp])[] = [
  ['refusal', /filter|refus|sensitive|safety|recitation|prohibited|blocklist/],
  ['length', /length|max|window|budget/],
  ['failure', /error|fail|abort|cancel|insufficient|timeout|malformed/],
  ['tools', /tool|function/],
];

/**
 * Returns what a stop reason means. Servers have words of their own (`eos`, `STOP`, `COMPLETE`, `model_length`): one that
 * says nothing else is the end of the answer.
 */
export function readStopWord(word: string): StopKind {
  return KINDS.find(([, pattern]) => pattern.test(word.toLowerCase()))?.[0] ?? 'end';
}
