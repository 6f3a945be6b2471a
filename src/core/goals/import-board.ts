import type { EpochMs } from '../../base/clock.js';
import { type JsonObject, readJson } from '../../base/json.js';
import type { Sql } from '../../store/sql.js';
import { setBudget } from '../budget/ledger.js';
import type { Change } from '../change.js';
import { recordEvent } from '../events/events.js';
import { completeGoalIfDone, findGoal, type GoalStatus, insertGoal } from '../tasks/goal.js';
import { type ImportedTask, importTasks, type KnownIds, settleGoal } from '../tasks/import-tasks.js';
import { refuseUsedKey } from '../tasks/task.js';

/** A goal that was kept elsewhere. */
export interface ImportedGoal {
  /** What it is called where it comes from, unique there. */
  id: string;
  name: string;
  description?: string | undefined;
  /** Absent: it follows from its tasks. */
  status?: GoalStatus | undefined;
  metadata?: JsonObject | undefined;
  tokenBudget?: number | undefined;
  project?: string | undefined;
  createdAt?: EpochMs | undefined;
  completedAt?: EpochMs | undefined;
}

/** The goals and tasks of another program, or of another database of this one. */
export interface ImportedBoard {
  /** Where it comes from: `beads`, `task-master`, ...; this program's own name for its own export. */
  source: string;
  goals: readonly ImportedGoal[];
  tasks: readonly ImportedTask[];
}

/** What an import does: what is new, and what is on the board since an earlier import. */
export interface ImportOutcome {
  goals: { created: number; present: number };
  tasks: { created: number; present: number };
}

/** The source of this program's own export. */
export const ownSource = 'agent-runtime';

/** What `importBoard` would do. Throws `conflict` for a key in use. */
export async function previewImport(sql: Sql, board: ImportedBoard, project: string): Promise<ImportOutcome> {
  const present = await findPresent(sql, board, project);
  const projectOf = async (task: ImportedTask): Promise<string> => {
    const known = present.goals.get(task.goal ?? '');
    const goal = known === undefined ? board.goals.find(({ id }) => id === task.goal) : await findGoal(sql, known);
    return task.project ?? goal?.project ?? project;
  };
  for (const task of board.tasks) {
    const { id, key } = task;
    if (key !== undefined && !present.tasks.has(id)) await refuseUsedKey(sql, key, await projectOf(task));
  }
  return countNew(board, present);
}

/**
 * Puts goals and tasks of elsewhere on the board. What an earlier import has put there stays as it is now. Throws
 * `conflict` for a key in use and `dependency_cycle`, and then nothing is written.
 */
export async function importBoard(sql: Sql, board: ImportedBoard, change: Change): Promise<ImportOutcome> {
  const project = change.actor?.project ?? '';
  const present = await findPresent(sql, board, project);
  const goals = new Map(present.goals);
  const created = board.goals.filter(({ id }) => !present.goals.has(id));
  for (const goal of created) goals.set(goal.id, await createGoal(sql, goal, board.source, change));
  const tasks = board.tasks.filter(({ id }) => !present.tasks.has(id)).map((task) => marked(task, board.source));
  await importTasks(sql, tasks, { goals, tasks: present.tasks }, change);
  for (const goal of created) await endGoal(sql, goals.get(goal.id) ?? 0, goal, change);
  return countNew(board, present);
}

function countNew(board: ImportedBoard, present: KnownIds): ImportOutcome {
  const count = (all: readonly { id: string }[], known: ReadonlyMap<string, number>) => {
    const there = all.filter(({ id }) => known.has(id)).length;
    return { created: all.length - there, present: there };
  };
  return { goals: count(board.goals, present.goals), tasks: count(board.tasks, present.tasks) };
}

async function createGoal(sql: Sql, given: ImportedGoal, source: string, change: Change): Promise<number> {
  const goal = marked(given, source);
  const { name, description = '', project = change.actor?.project ?? '', metadata = {} } = goal;
  const { id } = await insertGoal(sql, { name, description, project, metadata }, change.at);
  if (goal.tokenBudget !== undefined) await setBudget(sql, `goal:${id}`, goal.tokenBudget, change.at);
  await recordEvent(sql, { ...change, subject: 'goal', subjectId: id, type: 'created' });
  return id;
}

/** The status that it had, after its tasks have theirs; else the one that follows from them. */
async function endGoal(sql: Sql, id: number, goal: ImportedGoal, change: Change): Promise<void> {
  const { status = 'active', createdAt = change.at } = goal;
  const completedAt = status === 'active' ? null : (goal.completedAt ?? change.at);
  await settleGoal(sql, id, { status, createdAt, completedAt });
  if (goal.status === undefined) await completeGoalIfDone(sql, id, change);
}

/** The mark that a later import knows a goal or task by. Those of this program are known by name and time of creation. */
function marked<One extends ImportedGoal | ImportedTask>(one: One, source: string): One {
  return source === ownSource ? one : { ...one, metadata: { ...one.metadata, imported_from: markOf(source, one.id) } };
}

const markOf = (source: string, id: string): string => `${source}:${id}`;

async function findPresent(sql: Sql, board: ImportedBoard, project: string): Promise<KnownIds> {
  const identify = board.source === ownSource ? byCreation : byMark(board.source, project);
  return {
    goals: await identify(sql, 'goals', board.goals),
    tasks: await identify(sql, 'tasks', board.tasks),
  };
}

type Imported = ImportedGoal | ImportedTask;

const titleOf = (one: Imported): string => ('title' in one ? one.title : one.name);

async function byCreation(
  sql: Sql,
  table: 'goals' | 'tasks',
  all: readonly Imported[],
): Promise<ReadonlyMap<string, number>> {
  const name = table === 'goals' ? 'name' : 'title';
  const found = new Map<string, number>();
  for (const one of all) {
    const row = await sql.get<{ id: number }>(
      `select id from ${table} where created_at = ? and ${name} = ? order by id limit 1`,
      one.createdAt ?? null,
      titleOf(one),
    );
    if (row) found.set(one.id, row.id);
  }
  return found;
}

const byMark =
  (source: string, project: string) =>
  async (sql: Sql, table: 'goals' | 'tasks', all: readonly Imported[]): Promise<ReadonlyMap<string, number>> => {
    const rows = await sql.all<{ id: number; metadata: string }>(
      `select id, metadata from ${table} where project = ? and metadata like '%"imported_from":%'`,
      project,
    );
    const marks = new Map(rows.map(({ id, metadata }) => [readJson<JsonObject>(metadata).imported_from, id]));
    return new Map(
      all.flatMap(({ id }): [string, number][] => {
        const row = marks.get(markOf(source, id));
        return row === undefined ? [] : [[id, row]];
      }),
    );
  };
