import { inflateSync } from 'node:zlib';

/**
 * Returns the text of a PDF that Chromium has printed, page by page in the order of drawing and without white space.
 * Chromium writes each character as the number of a glyph, and a table from these numbers to characters for each font.
 */
export function readPdfText(pdf: Buffer): string {
  const objects = new Map([...pdf.toString('latin1').matchAll(/\n(\d+) 0 obj\s([\s\S]*?)\nendobj/g)].map(readObject));
  const fonts = new Map<string, ReadonlyMap<number, string>>();
  for (const [id, { head }] of objects) {
    const table = /\/ToUnicode (\d+) 0 R/.exec(head)?.[1];
    if (table !== undefined) fonts.set(id, readTable(objects.get(table)?.body ?? ''));
  }
  return [...objects.values()]
    .filter(({ head }) => /\/Type \/Page\b/.test(head))
    .map(({ head }) => {
      const names = new Map([...head.matchAll(/\/(F\d+) (\d+) 0 R/g)].map(([, name = '', id = '']) => [name, id]));
      const content = objects.get(/\/Contents (\d+) 0 R/.exec(head)?.[1] ?? '')?.body ?? '';
      return readPage(content, (name) => fonts.get(names.get(name) ?? ''));
    })
    .join('');
}

interface PdfObject {
  readonly head: string;
  /** Its stream, inflated. */
  readonly body: string;
}

function readObject([, id = '', source = '']: RegExpMatchArray): [string, PdfObject] {
  const [head = '', ...rest] = source.split(/stream\r?\n/);
  const stream = Buffer.from(rest.join('stream\n').replace(/\r?\nend$/, ''), 'latin1');
  const isPacked = head.includes('/FlateDecode') && /\/Filter/.test(head) && !head.includes('/Subtype /Image');
  return [id, { head, body: isPacked ? inflateSync(stream).toString('latin1') : '' }];
}

/** Reads a table from glyphs to characters: single ones and ranges. */
function readTable(table: string): ReadonlyMap<number, string> {
  const characters = new Map<number, string>();
  const toText = (hex: string) => Buffer.from(hex, 'hex').swap16().toString('utf16le');
  for (const [, list = ''] of table.matchAll(/beginbfchar([\s\S]*?)endbfchar/g))
    for (const [, glyph = '', text = ''] of list.matchAll(/<(\w+)>\s*<(\w+)>/g))
      characters.set(Number.parseInt(glyph, 16), toText(text));
  for (const [, list = ''] of table.matchAll(/beginbfrange([\s\S]*?)endbfrange/g))
    for (const [, from = '', to = '', text = ''] of list.matchAll(/<(\w+)>\s*<(\w+)>\s*<(\w+)>/g)) {
      const first = Number.parseInt(from, 16);
      for (let glyph = first; glyph <= Number.parseInt(to, 16); glyph++)
        characters.set(glyph, String.fromCodePoint(Number.parseInt(text, 16) + glyph - first));
    }
  return characters;
}

function readPage(content: string, findFont: (name: string) => ReadonlyMap<number, string> | undefined): string {
  let font: ReadonlyMap<number, string> | undefined;
  let text = '';
  for (const [, name, hex] of content.matchAll(/\/(F\d+) [\d.]+ Tf|<([0-9A-Fa-f]+)>/g)) {
    if (name !== undefined) font = findFont(name);
    for (const [glyph] of (hex ?? '').matchAll(/\w{4}/g)) text += font?.get(Number.parseInt(glyph, 16)) ?? '';
  }
  return text.replaceAll(/\s/g, '');
}
