import { type Paint, printable } from '../output.js';
import type { Check } from './check.js';

/** The checks as text, by group, each with what to do about it. */
export function showChecks(checks: readonly Check[], paint: Paint): string {
  const lines: string[] = [];
  const width = Math.max(...checks.map((check) => check.name.length));
  let group: string | undefined;
  for (const check of checks) {
    if (check.group !== group) lines.push(...(group === undefined ? [] : ['']), paint('bold', check.group));
    group = check.group;
    const mark = paint(colours[check.status], check.status.padEnd(4));
    const [first = '', ...more] = printable(check.detail).split('\n');
    lines.push(`  ${mark}  ${check.name.padEnd(width)}  ${first}`.trimEnd());
    const margin = ' '.repeat(width + 10);
    for (const line of more) lines.push(margin + line);
    if (check.mend) lines.push(`${margin}${paint('dim', `-> ${printable(check.mend)}`)}`);
  }
  return [...lines, '', verdict(checks, paint)].join('\n');
}

const colours = { ok: 'green', warn: 'yellow', fail: 'red' } as const;

function verdict(checks: readonly Check[], paint: Paint): string {
  const count = (status: Check['status']) => checks.filter((check) => check.status === status).length;
  const [failing, warning] = [count('fail'), count('warn')];
  if (failing > 0) return paint('red', `${failing} of ${checks.length} checks fail.`);
  if (warning > 0) return paint('yellow', `It works; ${warning} of ${checks.length} checks could be better.`);
  return paint('green', 'All is well.');
}
