import { LineCounter, parseDocument, visit, type Document, type ErrorCode } from 'yaml';

/** Faults that have one cause; all others may come from a value that is not in quotes. */
const REASONS: Partial<Record<ErrorCode, string>> = {
  BAD_DQ_ESCAPE: 'a text in double quotes has an unknown escape; single quotes know none',
  BAD_INDENT: 'the indentation is wrong, or a bracket is not closed',
  DUPLICATE_KEY: 'a map has the same key twice',
  MISSING_CHAR: 'a quote or a bracket is not closed',
  MULTIPLE_DOCS: 'a second document begins here; settings are one',
  TAB_AS_INDENT: 'a tab cannot indent; use spaces',
};
const NEEDS_QUOTES = 'it is not YAML; a value with a sign of YAML, such as ! & * | > % @ : or #, needs quotes';

/**
 * Parses a settings file. Generated secrets may begin with a sign of YAML, so neither a failure nor a warning of the process
 * repeats a text of the file. A value that would be read as something else than its text is a failure.
 * @throws Error with the line, the column and the reason
 */
export function parseSettings(text: string): Document {
  const lines = new LineCounter();
  const document = parseDocument(text, { logLevel: 'error', merge: true, prettyErrors: false, lineCounter: lines });
  const [problem] = [...document.errors, ...document.warnings];
  if (problem) throw faultAt(problem.pos[0], REASONS[problem.code]);
  visit(document, {
    Alias: (_key, alias) => {
      if (!alias.resolve(document)) throw faultAt(alias.range?.[0] ?? 0);
    },
    Scalar: (_key, { anchor, source, range }) => {
      if (anchor !== undefined && source === '') throw faultAt(range?.[0] ?? 0);
    },
  });
  return document;

  function faultAt(offset: number, reason = NEEDS_QUOTES): Error {
    const { line, col } = lines.linePos(offset);
    return new Error(`line ${line}, column ${col}: ${reason}`);
  }
}
