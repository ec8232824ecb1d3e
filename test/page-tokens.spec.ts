import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const WEB = join(import.meta.dirname, '../src/web');
const source = readFileSync(join(WEB, 'design/tokens.css'), 'utf8');
const colours = new Map(
  [...source.matchAll(/--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);/g)].map(
    ([, name = '', light = '', dark = '']) => [name, { light, dark }],
  ),
);

/** Surfaces where any text may stand. */
const SURFACES = ['ground', 'side', 'raised', 'sunken'];
const STATES = ['good', 'warn', 'bad', 'info', 'held'];
const WASHES = ['good', 'warn', 'bad', 'info', 'held', 'accent'].map((state) => `${state}-wash`);

/** Each text with the surfaces where it stands. */
const TEXTS: readonly (readonly [string, readonly string[]])[] = [
  ['ink', [...SURFACES, 'bubble', 'mark', ...WASHES]],
  ['faint', [...SURFACES, 'bubble', 'accent-wash']],
  ['accent', [...SURFACES, 'bubble', 'accent-wash']],
  ['on-accent', ['accent']],
  ['ground', ['ink']],
  ...STATES.map((state) => [state, [...SURFACES, ...WASHES.filter((wash) => wash === `${state}-wash`)]] as const),
  ...['comment', 'keyword', 'string', 'number', 'name', 'type'].map((part) => [`code-${part}`, ['sunken']] as const),
];

/** The relative luminance of a colour, as WCAG 2.2 defines it. */
function luminanceOf(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrastOf(text: string, surface: string, scheme: 'light' | 'dark'): number {
  const [a, b] = [text, surface].map((name) => {
    const colour = colours.get(name)?.[scheme];
    if (colour === undefined) throw new Error(`tokens.css has no colour ${name}`);
    return luminanceOf(colour);
  }) as [number, number];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

/** Lists the pairs below `least`. */
function listFaint(pairs: typeof TEXTS, least: number): string[] {
  return pairs.flatMap(([text, surfaces]) =>
    surfaces.flatMap((surface) =>
      (['light', 'dark'] as const)
        .map((scheme) => ({ scheme, ratio: contrastOf(text, surface, scheme) }))
        .filter(({ ratio }) => ratio < least)
        .map(({ scheme, ratio }) => `${text} on ${surface}, ${scheme}: ${ratio.toFixed(2)}`),
    ),
  );
}

describe('the colours of the pages', () => {
  it('have a contrast of at least 4.5 for each text on each surface where it stands', () => {
    expect(listFaint(TEXTS, 4.5)).toEqual([]);
  });

  it('are tested on each wash that there is', () => {
    expect([...colours.keys()].filter((name) => name.endsWith('-wash')).sort()).toEqual(WASHES.toSorted());
  });

  it('have a contrast of at least 3 for the edge of what takes input, and for what marks the focus', () => {
    expect(
      listFaint(
        [
          ['edge', SURFACES],
          ['accent', SURFACES],
        ],
        3,
      ),
    ).toEqual([]);
  });

  it('distinguish a sunken surface from those around it', () => {
    expect(listFaint([['sunken', ['raised']]], 1.1)).toEqual([]);
  });

  it('stand in the token file alone, as do the sizes of type', () => {
    const styles = globSync('**/*.css', { cwd: WEB }).filter((file) => file !== join('design', 'tokens.css'));
    const strays = styles.flatMap((file) =>
      readFileSync(join(WEB, file), 'utf8')
        .split('\n')
        .filter((line) =>
          /#[0-9a-f]{3,8}\b|\b(?:rgb|hsl)a?\(|prefers-color-scheme|font(?:-size)?:.*\d+(?:px|rem)/i.test(line),
        )
        .map((line) => `${file}: ${line.trim()}`),
    );
    expect(strays).toEqual([]);
  });
});
