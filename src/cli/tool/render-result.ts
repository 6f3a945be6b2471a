import { isObject } from '../../base/json.js';
import { forShell } from '../for-shell.js';
import { type Paint, printable } from '../output.js';
import { type Column, oneLine, renderTable } from '../table.js';

interface Form {
  width: number;
  paint: Paint;
}

/** Fields whose texts advise a model what to call next. */
const advice = ['next', 'hint', 'message', 'note'];

/**
 * The result of any tool for people: a line for each field, a table for a list of objects, and what is inside an object
 * indented. Nothing is left out but cells of tables that are too wide, which end in `…`.
 */
export function renderResult(result: unknown, form: Form): string {
  return isObject(result) ? renderObject(result, form).join('\n') : renderScalar(result);
}

function renderObject(object: Record<string, unknown>, form: Form, margin = ''): string[] {
  const fields = Object.entries(object).filter(([, value]) => value !== undefined);
  const widest = Math.max(0, ...fields.filter(([, value]) => isShort(value)).map(([name]) => name.length));
  return fields.flatMap(([name, value]) => {
    const label = form.paint('bold', name.padEnd(isShort(value) ? widest : 0));
    if (isShort(value)) return [`${margin}${label}  ${renderScalar(value, name)}`];
    return [`${margin}${label}`, ...renderLong(value, form, `${margin}  `)];
  });
}

/** Whether a value fits on the line of its name. */
function isShort(value: unknown): boolean {
  if (typeof value === 'string') return !value.includes('\n');
  if (Array.isArray(value)) return value.every((item) => typeof item !== 'object' && isShort(item));
  return !isObject(value) || Object.keys(value).length === 0;
}

function renderScalar(value: unknown, name = ''): string {
  if (typeof value === 'string') return printable(advice.includes(name) ? forShell(value) : value);
  if (value === null || value === undefined) return '-';
  if (Array.isArray(value)) return value.length === 0 ? '-' : value.map((item) => renderScalar(item)).join(', ');
  if (isObject(value)) return Object.keys(value).length === 0 ? '-' : JSON.stringify(value);
  return String(value);
}

function renderLong(value: unknown, form: Form, margin: string): string[] {
  const indented = (lines: readonly string[]) => lines.map((line) => margin + line);
  if (typeof value === 'string') return indented(printable(value).split('\n'));
  if (Array.isArray(value)) {
    return value.every(isObject)
      ? indented(renderRows(value, { ...form, width: form.width - margin.length }).split('\n'))
      : value.map((item) => `${margin}${isObject(item) ? oneLine(JSON.stringify(item)) : renderScalar(item)}`);
  }
  return isObject(value) ? renderObject(value, form, margin) : indented([renderScalar(value)]);
}

function renderRows(rows: readonly Record<string, unknown>[], form: Form): string {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const columns = names.map((name): Column<Record<string, unknown>> => {
    const values = rows.map((row) => row[name]).filter((value) => value !== undefined && value !== null);
    return {
      title: name.toUpperCase().replaceAll('_', ' '),
      value: (row) => (row[name] === undefined || row[name] === null ? '' : cellOf(row[name])),
      isNumber: values.every((value) => typeof value === 'number'),
      isText: values.some((value) => typeof value === 'string' || typeof value === 'object'),
    };
  });
  return renderTable(columns, rows, form);
}

const cellOf = (value: unknown): string => (isShort(value) ? renderScalar(value) : JSON.stringify(value));
