import type { ColourName } from '../blocks/diagram-colours.js';

/** The washes in the order in which the parts of a diagram get them. */
const PALETTE: readonly ColourName[] = ['accent-wash', 'info-wash', 'held-wash', 'good-wash', 'warn-wash', 'bad-wash'];

/** The number of coloured parts that mermaid knows: slices, branches, levels. */
const MAX_PARTS = 12;

/** The names that mermaid has for what each colour is for: text in ink on washes, lines in faint, as on the page. */
const NAMES: Readonly<Record<ColourName, string>> = {
  raised: 'background edgeLabelBackground sequenceNumberColor altSectionBkgColor',
  sunken: 'tertiaryColor sectionBkgColor sectionBkgColor2 commitLabelBackground',
  ink: `primaryTextColor secondaryTextColor tertiaryTextColor textColor titleColor noteTextColor signalColor
    signalTextColor labelTextColor loopTextColor taskTextColor taskTextDarkColor taskTextLightColor
    taskTextOutsideColor taskTextClickableColor pieTitleTextColor pieSectionTextColor pieLegendTextColor
    scaleLabelColor classText commitLabelColor tagLabelColor errorTextColor`,
  faint: 'lineColor actorLineColor',
  edge: `secondaryBorderColor noteBorderColor activeTaskBorderColor doneTaskBorderColor pieStrokeColor
    pieOuterStrokeColor tagLabelBorder`,
  line: 'tertiaryBorderColor gridColor',
  accent: 'primaryBorderColor',
  bad: 'critBorderColor todayLineColor',
  'accent-wash': 'primaryColor tagLabelBackground',
  'info-wash': 'secondaryColor activeTaskBkgColor',
  'held-wash': '',
  'good-wash': 'doneTaskBkgColor',
  'warn-wash': 'noteBkgColor',
  'bad-wash': 'critBkgColor errorBkgColor',
};

/** Returns the colours of a diagram as mermaid names them. */
export function themeOf(
  colours: Readonly<Record<ColourName, string>>,
  dark: boolean,
): Readonly<Record<string, string | boolean>> {
  const theme: Record<string, string | boolean> = { darkMode: dark, pieOpacity: '1' };
  for (const [colour, names] of Object.entries(NAMES) as [ColourName, string][])
    for (const name of names.split(/\s+/).filter(Boolean)) theme[name] = colours[colour];
  for (let i = 0; i < MAX_PARTS; i++) {
    const wash = colours[PALETTE[i % PALETTE.length] ?? 'accent-wash'];
    for (const name of [`pie${i + 1}`, `cScale${i}`, `fillType${i}`, `git${i}`]) theme[name] = wash;
    for (const name of [`cScaleLabel${i}`, `gitBranchLabel${i}`]) theme[name] = colours.ink;
    for (const name of [`cScaleInv${i}`, `gitInv${i}`]) theme[name] = colours.faint;
  }
  return theme;
}
