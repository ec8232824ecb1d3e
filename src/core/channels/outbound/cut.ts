import type { PartText } from '../driver.js';

/** Returns the length of the texts of one part. It must not shrink when a text grows. */
export type TextMeasure = (texts: readonly PartText[]) => number;

/** A line that opens or closes a code fence (CommonMark 4.5). Longer marks would leave no room for the code. */
const FENCE = /^ {0,3}(?:(`{3,32})([^`\n]*)|(~{3,32})([^~\n][^\n]*)?)$/gm;
/** The language of a code fence; the rest of its line is not repeated. */
const LANGUAGE = /^[\w+#.-]{1,40}(?=\s|$)/;
/** Links, which are not cut in two. None begins within another: the time is linear. */
const LINK = /!?\[[^[\]\n]*\]\([^[)\n]*\)|<[^<>\n]*>/g;
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
      const spans: Span[] = findCodeSpans(rest);
      const room: number = fit(part, rest, { maxLength, measure, spans });
      if (room >= rest.text.length) {
        part.push(rest);
        break;
      }
      const piece: Cut | undefined = cutText(rest, room, spans, part.length === 0);
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

interface Room {
  readonly maxLength: number;
  readonly measure: TextMeasure;
  readonly spans: readonly Span[];
}

/** Returns how many UTF-16 units of a text fit into a part beside what it has. */
function fit(part: readonly PartText[], text: PartText, { maxLength, measure, spans }: Room): number {
  const measureHead = (length: number) => {
    const head = text.text.slice(0, length);
    return measure([...part, { ...text, text: head + (findOpenCode(text, length, spans)?.close ?? '') }]);
  };
  // No unit counts more than two UTF-16 units as one, so a longer head is not measured.
  const most = Math.min(text.text.length, 2 * maxLength);
  if (most === text.text.length && measureHead(most) <= maxLength) return most;
  return searchLongest(most, maxLength, measureHead);
}

/**
 * Returns the longest length below `most` whose measure is at most `max`. Measuring may mean parsing, so the search begins
 * where the answer is for most texts, and expects markup to be spread evenly.
 */
function searchLongest(most: number, max: number, measure: (length: number) => number): number {
  let [low, high, next] = [0, most, max];
  for (let round = 0; low < high - 1; round++) {
    const length = round % 3 === 2 ? (low + high) >> 1 : Math.min(Math.max(next, low + 1), high - 1);
    const measured = measure(length);
    if (measured <= max) low = length;
    else high = length;
    next = measured <= max ? length + Math.max(1, max - measured) : Math.floor((length * max) / measured);
  }
  return low;
}

/** Cuts a text before `room`. Returns undefined if it should rather begin in a part of its own. */
function cutText(text: PartText, room: number, spans: readonly Span[], isFirst: boolean): Cut | undefined {
  const place = findPlace(text, room, isFirst, spans);
  if (place === undefined) return undefined;
  const line = findFenceLine(text, place, spans);
  if (line === 0 && !isFirst) return undefined;
  const at = line || place;
  const code = findOpenCode(text, at, spans);
  const rest = text.text.slice(at).replace(/^\n+/, '');
  const opened = `${code?.open ?? ''}${rest}`;
  // Each cut shortens the text: what opens the code again must not be as long as what was cut off.
  const tail = opened.length < text.text.length ? opened : rest;
  return {
    head: { ...text, text: text.text.slice(0, at).trimEnd() + (code?.close ?? '') },
    tail: rest.trim() === '' ? undefined : { ...text, text: tail },
  };
}

function findPlace(
  { kind, text }: PartText,
  room: number,
  isFirst: boolean,
  spans: readonly Span[],
): number | undefined {
  // The space after a head that fills the room is dropped.
  const window = text.slice(0, room + 1);
  const wholes =
    kind === 'markdown' ? [...findLinks(text, room), ...spans].filter(([start, end]) => end - start < room) : [];
  const isInWhole = (position: number) => wholes.some(([start, end]) => position > start && position < end);
  const ends = PLACES.map((place) => [...window.matchAll(place)].map((match) => match.index + match[0].length));
  const choose = (isGood: (end: number) => boolean) =>
    ends.map((some) => some.findLast((end) => isGood(end))).find((end) => end !== undefined);
  const best = choose((end) => end >= room * MIN_FILL && !isInWhole(end));
  if (best !== undefined || !isFirst) return best;
  const isText = (end: number) => window.slice(0, end).trim() !== '';
  return choose((end) => isText(end) && !isInWhole(end)) ?? choose(isText) ?? findGraphemeEnd(window, room);
}

/** Returns where the last grapheme cluster ends that fits. */
function findGraphemeEnd(window: string, room: number): number {
  let last = 0;
  for (const { index } of graphemes.segment(window)) if (index > 0 && index <= room) last = index;
  return last > 0 ? last : Math.max(1, room);
}

/** A part of a text, as the positions of its start and of its end. */
type Span = readonly [start: number, end: number, marks?: string];

function findLinks(text: string, room: number): Span[] {
  return [...text.slice(0, room * 2).matchAll(LINK)].map((match) => [match.index, match.index + match[0].length]);
}

/** Returns the inline code of a text: what is between two equal runs of backticks of a line (CommonMark 6.1). */
function findCodeSpans({ kind, text }: PartText): Span[] {
  if (kind !== 'markdown') return [];
  const spans: Span[] = [];
  const runs = [...text.matchAll(/`+|\n/g)];
  const partners = findPartners(runs.map(([run]) => run));
  for (let n = 0; n < runs.length; n++) {
    const [run, partner] = [runs[n], partners[n]];
    if (!run || partner === undefined) continue;
    const [marks] = run;
    spans.push([run.index, (runs[partner]?.index ?? run.index) + marks.length, marks]);
    n = partner;
  }
  return spans;
}

/** Returns for each run of backticks the next one of its length in the same line. */
function findPartners(runs: readonly string[]): (number | undefined)[] {
  const partners: (number | undefined)[] = [];
  const next = new Map<string, number>();
  for (let n = runs.length - 1; n >= 0; n--) {
    const run = runs[n] ?? '';
    if (run === '\n') next.clear();
    else {
      partners[n] = next.get(run);
      next.set(run, n);
    }
  }
  return partners;
}

/** The marks that close code before a cut, and open it again after it. */
interface OpenCode {
  readonly close: string;
  readonly open: string;
}

/** Returns how to cut the code that `at` is in; undefined outside of code. */
function findOpenCode(text: PartText, at: number, spans: readonly Span[]): OpenCode | undefined {
  if (text.kind !== 'markdown') return undefined;
  const fence = findOpenFence(text.text.slice(0, at));
  const span = spans.find(([start, end, marks = '']) => at >= start + marks.length && at <= end - marks.length);
  // The start of a line of inline code looks like the start of a fence.
  if (span?.[2] !== undefined && (fence === undefined || fence.index >= span[0] - 3))
    return { close: span[2], open: span[2] };
  if (fence === undefined) return undefined;
  return { close: `\n${fence.marks}`, open: `${fence.marks}${LANGUAGE.exec(fence.info.trim())?.[0] ?? ''}\n` };
}

/** Returns where the line begins that opens a fence and that `at` is in; undefined elsewhere. Its language must not be cut off. */
function findFenceLine(text: PartText, at: number, spans: readonly Span[]): number | undefined {
  if (text.kind !== 'markdown' || spans.some(([start, end]) => at > start && at < end)) return undefined;
  const index = findOpenFence(text.text.slice(0, at))?.index;
  return index === undefined || text.text.slice(index, at).includes('\n') ? undefined : index;
}

interface Fence {
  readonly index: number;
  readonly marks: string;
  readonly info: string;
}

/** Returns the fence of the code in which a text ends. */
function findOpenFence(head: string): Fence | undefined {
  let open: Fence | undefined;
  for (const match of head.matchAll(FENCE)) {
    const marks = match[1] ?? match[3] ?? '';
    const info = match[2] ?? match[4] ?? '';
    if (!open) open = { index: match.index, marks, info };
    else if (info.trim() === '' && marks.startsWith(open.marks)) open = undefined;
  }
  return open;
}
