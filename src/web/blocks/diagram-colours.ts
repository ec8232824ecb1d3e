/** The tokens whose colours a diagram has. */
export const COLOURS = [
  'raised',
  'sunken',
  'ink',
  'faint',
  'edge',
  'line',
  'accent',
  'bad',
  'accent-wash',
  'info-wash',
  'held-wash',
  'good-wash',
  'warn-wash',
  'bad-wash',
] as const;

export type ColourName = (typeof COLOURS)[number];
