import type { AnyTool } from './define-tool.js';
import { explainIssues } from './explain-issues.js';
import { type Note, readLoosely } from './read-loosely.js';

/**
 * A tool's arguments, checked by its input schema. Those that it refuses are first read as they are meant, where that is
 * clear; `note` is told of what the caller should know of that. Throws `invalid`, naming each wrong argument with its
 * place, its value and what it may be.
 */
export function parseInput(tool: AnyTool, given: unknown, note: Note = () => {}): Record<string, unknown> {
  const exact = tool.input.safeParse(given ?? {});
  if (exact.success) return exact.data;
  const notes: string[] = [];
  const read = readLoosely(tool.input, given, '', (text) => notes.push(text));
  const parsed = tool.input.safeParse(read, { reportInput: true });
  if (!parsed.success) throw explainIssues(tool, parsed.error.issues);
  for (const text of notes) note(text);
  return parsed.data;
}
