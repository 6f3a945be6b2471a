import { RuntimeError } from '../../base/errors.js';
import type { ImportedBoard } from '../../core/goals/import-board.js';
import type { ImportedTask } from '../../core/tasks/import-tasks.js';
import { oneLine } from '../table.js';

/** The most letters of each text, as the tools that create goals and tasks have them. */
const most = { title: 500, text: 100_000, acceptance: 20_000 };

/** A board that can be written here, and what had to be changed for that. */
export interface TidyBoard {
  board: ImportedBoard;
  remarks: string[];
}

/**
 * Fits a board to what a board here can hold: links to what is not imported and waits for one's own whole are left out,
 * texts that are too long are cut, and keys get the prefix. Throws `invalid` for two tasks of one id.
 */
export function tidy(board: ImportedBoard, prefix = ''): TidyBoard {
  const remarks: string[] = [];
  const byId = new Map(board.tasks.map((task) => [task.id, task]));
  if (byId.size < board.tasks.length) throw doubled(board);
  const tasks = board.tasks.map((given) => {
    const parent = given.parent !== undefined && byId.has(given.parent) ? given.parent : undefined;
    const whole = ancestorsOf(given, byId);
    const dependencies = [...new Set(given.dependencies)].filter((id) => {
      if (byId.has(id) && id !== given.id && !whole.has(id)) return true;
      const why = byId.has(id) ? 'which it is part of' : 'which is not there';
      remarks.push(`${given.id} does not wait for ${id}, ${why}.`);
      return false;
    });
    const title = oneLine(given.title);
    const isCut = title.length > most.title;
    return {
      ...given,
      key: given.key === undefined ? undefined : prefix + given.key,
      title: isCut ? `${title.slice(0, most.title - 1)}…` : title || given.id,
      description: cut(isCut && !given.description ? title : given.description, most.text),
      acceptance: cut(given.acceptance, most.acceptance),
      parent,
      dependencies,
      discoveredFrom: byId.has(given.discoveredFrom ?? '') ? given.discoveredFrom : undefined,
    };
  });
  return { board: { ...board, tasks }, remarks };
}

function cut(text: string | undefined, length: number): string | undefined {
  if (!text) return undefined;
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}

/** The task that it is a part of, the task that this one is a part of, and so on. */
function ancestorsOf(task: ImportedTask, byId: ReadonlyMap<string, ImportedTask>): Set<string> {
  const found = new Set<string>();
  for (let id = task.parent; id !== undefined && !found.has(id); id = byId.get(id)?.parent) found.add(id);
  return found;
}

function doubled({ tasks, source }: ImportedBoard): RuntimeError {
  const seen = new Set<string>();
  const double = tasks.find(({ id }) => seen.size === seen.add(id).size);
  return new RuntimeError(
    'invalid',
    `Two tasks of ${source} have the id ${double?.id}. Nothing was imported.`,
    'Give one of them another id there, and try again.',
  );
}
