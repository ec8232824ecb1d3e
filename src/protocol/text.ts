import Type, { type TString } from 'typebox';
import { countCodePoints } from './code-points.js';

/** The constraints of a {@link text} field. Lengths are in Unicode code points, inclusive. */
export interface TextRule {
  readonly min: number;
  readonly max: number;
  /** True if line breaks, tabs and other control characters are allowed. NUL never is. */
  readonly controls: boolean;
}

// oxlint-disable-next-line no-control-regex -- refusing control characters is what these expressions are for
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;
const NUL = '\u0000';

/**
 * Returns a string schema whose length counts code points.
 *
 * TypeBox's own `maxLength` counts grapheme clusters, so it accepts 76,000 code points for a limit of 65,536, and takes
 * 15 ms for it; hence a refinement here, and `x-length` for the generated documents.
 */
export function text(rule: TextRule, description?: string): TString {
  const schema = Type.String({
    'x-length': [rule.min, rule.max],
    ...(description === undefined ? {} : { description }),
  });
  return Type.Refine(
    schema,
    (value) => isText(value, rule),
    () => textFault(rule),
  );
}

function textFault(rule: TextRule): string {
  const controls = rule.controls ? 'no NUL' : 'no control characters';
  return `must have ${rule.min} to ${rule.max} characters, ${controls} and no lone surrogates`;
}

/**
 * Returns true when `value` satisfies `rule` and is well-formed Unicode (PostgreSQL stores neither NUL nor lone
 * surrogates).
 */
export function isText(value: string, rule: TextRule): boolean {
  if (value.length < rule.min || !value.isWellFormed()) return false;
  if (value.length > rule.max && countCodePoints(value, rule.max) > rule.max) return false;
  return rule.controls ? !value.includes(NUL) : !CONTROL.test(value);
}
