import type { PartText } from './driver.js';

/** Returns the length of the texts of one part. It must not shrink when a text grows. */
export type TextMeasure = (texts: readonly PartText[]) => number;

const FENCE = /^ {0,3}(`{3,}|~{3,})([^\n]*)$/gm;
/** Links and inline code, which are not cut in two. */
const WHOLE = /!?\[[^\]\n]*\]\([^)\n]*\)|<[^>\n]*>|(?<ticks>`+)[^\n]*?\k<ticks>/g;
/** Places to cut, best first: after a paragraph, a line, a sentence, a word. */
const PLACES = [/\n{2,}/g, /\n/g, /[.!?…。！？]\s+/g, /\s+/g];
/** A cut in the first quarter of the room would make parts too short; a worse place further on is better. */
const MIN_FILL = 0.25;

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/**
 * Divides texts into parts of at most `maxLength`. The texts of a part fill it, so the parts before the last do not change
 * when more text follows.
 */
export function cut(texts: readonly PartText[], maxLength: number, measure: TextMeasure): PartText[][] {
  const parts: PartText[][] = [];
  let part: PartText[] = [];
  for (const text of texts) {
    let rest: PartText | undefined = text;
    while (rest) {
      const room: number = fit(part, rest, maxLength, measure);
      if (room >= rest.text.length) {
        part.push(rest);
        break;
      }
      const piece: Cut | undefined = cutText(rest, room, part.length === 0);
      if (piece) part.push(piece.head);
      parts.push(part);
      part = [];
      rest = piece ? piece.tail : rest;
    }
  }
  return part.length > 0 ? [...parts, part] : parts;
}

interface Cut {
  readonly head: PartText;
  readonly tail: PartText | undefined;
}

/** Returns how many UTF-16 units of a text fit into a part beside what it has. */
function fit(part: readonly PartText[], text: PartText, maxLength: number, measure: TextMeasure): number {
  const fits = (length: number) => {
    const head = text.text.slice(0, length);
    return measure([...part, { ...text, text: head + closingOf(text, head) }]) <= maxLength;
  };
  if (fits(text.text.length)) return text.text.length;
  let [low, high] = [0, text.text.length];
  while (low < high - 1) {
    const middle = (low + high) >> 1;
    if (fits(middle)) low = middle;
    else high = middle;
  }
  return low;
}

/** Cuts a text before `room`. Returns undefined if it should rather begin in a part of its own. */
function cutText(text: PartText, room: number, isFirst: boolean): Cut | undefined {
  const at = findPlace(text, room, isFirst);
  if (at === undefined) return undefined;
  const head = text.text.slice(0, at);
  const fence = openFenceOf(text, head);
  const tail = text.text.slice(at).replace(/^\n+/, '');
  return {
    head: { ...text, text: head.trimEnd() + closingOf(text, head) },
    tail: tail.trim() === '' ? undefined : { ...text, text: fence === undefined ? tail : `${fence}\n${tail}` },
  };
}

function findPlace({ kind, text }: PartText, room: number, isFirst: boolean): number | undefined {
  // The space after a head that fills the room is dropped.
  const window = text.slice(0, room + 1);
  const isWhole = kind === 'markdown' ? findWholes(text, room) : () => false;
  for (const place of PLACES) {
    const ends = [...window.matchAll(place)].map((match) => match.index + match[0].length);
    const end = ends.findLast((candidate) => candidate >= room * MIN_FILL && !isWhole(candidate));
    if (end !== undefined) return end;
  }
  if (!isFirst) return undefined;
  let last = 0;
  for (const { index } of graphemes.segment(text.slice(0, room + 1))) if (index > 0 && index <= room) last = index;
  return last > 0 ? last : Math.max(1, room);
}

/** Returns a function that says whether a position is within a link or inline code that begins in the window. */
function findWholes(text: string, room: number): (position: number) => boolean {
  const spans = [...text.slice(0, room * 2).matchAll(WHOLE)].map(
    (match) => [match.index, match.index + match[0].length] as const,
  );
  return (position) => spans.some(([start, end]) => position > start && position < end && end - start < room);
}

/** Returns the line that opened the code fence in which `head` ends; undefined if it ends outside of one. */
function openFenceOf({ kind }: PartText, head: string): string | undefined {
  if (kind !== 'markdown') return undefined;
  let open: RegExpMatchArray | undefined;
  for (const match of head.matchAll(FENCE)) {
    const [, marks = '', rest = ''] = match;
    if (!open) open = match;
    else if (rest.trim() === '' && marks.startsWith(open[1] ?? '')) open = undefined;
  }
  return open?.[0];
}

/** Returns what closes the code fence in which `head` ends. */
function closingOf(text: PartText, head: string): string {
  const marks = /`+|~+/.exec(openFenceOf(text, head) ?? '')?.[0];
  return marks === undefined ? '' : `\n${marks}`;
}
