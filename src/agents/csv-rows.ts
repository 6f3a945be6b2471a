import { CsvError, parse } from 'csv-parse/sync';
import type { AgentError } from './define-agent.js';

/** A row of a CSV file, its cells trimmed. */
export interface CsvRow {
  /** The line of the file on which it ends, from 1. */
  line: number;
  cells: string[];
}

/**
 * Splits CSV text with commas into rows, all of the same length. Empty lines are skipped; a byte-order mark and any line
 * ending are taken.
 *
 * @param invalid makes the error to throw: for a web page, a ragged row, a quote that is not closed
 */
export function readCsvRows(
  text: string,
  invalid: (reason: string, line?: number, cause?: unknown) => AgentError,
): CsvRow[] {
  // A web page saved or served as CSV is the most common wrong file; the parser would only call it ragged.
  if (/^\uFEFF?\s*</.test(text)) throw invalid('it is a web page or XML, not CSV');
  const rows: CsvRow[] = [];
  try {
    parse(text, {
      bom: true,
      skip_empty_lines: true,
      trim: true,
      // All three at once: a delimiter guessed from the first line would make a file of mixed endings look ragged.
      record_delimiter: ['\r\n', '\n', '\r'],
      on_record: (cells: string[], { lines }) => {
        rows.push({ line: lines, cells });
        return null;
      },
    });
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw invalid(error.message, typeof error.lines === 'number' ? error.lines : undefined, error);
  }
  return rows;
}

/** The value of a decimal number, with or without an exponent; NaN for anything else, `Infinity` and `0x10` among it. */
export function readDecimal(cell: string): number {
  // Number() alone would accept 0x10, Infinity and a blank.
  const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(cell) ? Number(cell) : Number.NaN;
  return Number.isFinite(value) ? value : Number.NaN;
}
