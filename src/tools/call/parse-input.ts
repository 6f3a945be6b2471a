import type { Checked } from './define-tool.js';
import { explainIssues } from './explain-issues.js';
import { type Note, readLoosely } from './read-loosely.js';
import { refuseDepth, refuseOddNames } from './refuse-odd-text.js';

/**
 * A tool's arguments, checked by its input schema. Those that it refuses are first read as they are meant, where that is
 * clear; `note` is told what the caller should know of that. Throws `invalid`, naming each wrong argument with its
 * place, its value and what it may be; and for arguments that are nested too deep or have names that cannot be stored.
 */
export function parseInput(tool: Checked, given: unknown, note: Note = () => {}): Record<string, unknown> {
  refuseDepth(tool.name, given);
  const exact = tool.input.safeParse(given ?? {});
  const data = exact.success ? exact.data : parseLoosely(tool, given, note);
  refuseOddNames(tool.name, tool.input, data);
  return data;
}

function parseLoosely(tool: Checked, given: unknown, note: Note): Record<string, unknown> {
  const notes: string[] = [];
  const read = readLoosely(tool.input, given ?? {}, '', (text) => notes.push(text));
  // A text of the arguments may have held JSON.
  refuseDepth(tool.name, read);
  const parsed = tool.input.safeParse(read, { reportInput: true });
  if (!parsed.success) throw explainIssues(tool, parsed.error.issues);
  for (const text of notes) note(text);
  return parsed.data;
}
