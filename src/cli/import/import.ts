import { RuntimeError } from '../../base/errors.js';
import { nearest } from '../../base/text.js';
import type { ImportedBoard, ImportOutcome } from '../../core/goals/import-board.js';
import type { ImportedTask } from '../../core/tasks/import-tasks.js';
import type { CommandContext } from '../define-command.js';
import { commandName } from '../launch.js';
import { printable } from '../output.js';
import { type Column, printTable } from '../table.js';
import { callerOf, settingOf, withRuntime, withStored } from '../with-runtime.js';
import { findData, type Source } from './source.js';
import { sources } from './sources.js';
import { tidy } from './tidy.js';

export interface ImportOptions {
  source: string;
  path: string | undefined;
  /** Whether to write, rather than to show what would be written. */
  isConfirmed: boolean;
  /** Put before every key. */
  prefix: string | undefined;
}

/** Takes over the board of another program, or shows what that would do. */
export async function runImport(options: ImportOptions, context: CommandContext): Promise<void> {
  const { flags, output, wantsJson } = context;
  const source = sourceNamed(options.source);
  const setting = settingOf(flags);
  const path = findData(source, options.path, { cwd: process.cwd(), home: setting.config.home });
  const { board, remarks } = tidy(await source.read(path), options.prefix);
  const actor = callerOf(setting.config);
  const outcome = await (options.isConfirmed
    ? withRuntime(setting, ({ goals }) => goals.importBoard(board, actor))
    : withStored(setting, ({ goals }) => goals.previewImport(board, actor))
  ).catch(adviseOnKeys);
  if (wantsJson) {
    const shown = options.isConfirmed
      ? {}
      : { board: board.goals.map((goal) => preview(goal.name, tasksOf(board, goal.id))) };
    output.printJson({ source: source.name, path, written: options.isConfirmed, ...outcome, ...shown, remarks });
    return;
  }
  if (!options.isConfirmed) printTable(output, previewColumns, previewOf(board));
  for (const remark of remarks.slice(0, mostRemarks)) output.print(printable(remark));
  if (remarks.length > mostRemarks)
    output.print(`And ${remarks.length - mostRemarks} more of the kind; --json lists them.`);
  output.print(summary(path, outcome, options.isConfirmed));
}

const mostRemarks = 10;

/** Keys are kept, so those of two projects can be the same. */
function adviseOnKeys(error: unknown): never {
  if (!(error instanceof RuntimeError) || error.code !== 'conflict') throw error;
  const hint =
    'Repeat it with --prefix TEXT, which is put before every key; an import of one project keeps its prefix.';
  throw new RuntimeError('conflict', `${error.message} Nothing was imported.`, hint, { cause: error });
}

function sourceNamed(name: string): Source {
  const names = sources.map((one) => one.name);
  const found = sources.find((one) => one.name === name);
  if (found) return found;
  const near = nearest(name, names);
  throw new RuntimeError(
    'invalid',
    `${JSON.stringify(name)} is no source of an import.`,
    near.length > 0 ? `Did you mean ${near.join(' or ')}?` : `Use one of ${names.join(', ')}.`,
  );
}

function summary(path: string, { goals, tasks }: ImportOutcome, isConfirmed: boolean): string {
  const count = (number: number, noun: string) => `${number} ${noun}${number === 1 ? '' : 's'}`;
  const created = `${count(goals.created, 'goal')} and ${count(tasks.created, 'task')}`;
  const present =
    tasks.present + goals.present > 0 ? `; ${count(tasks.present, 'task')} of it are on the board already` : '';
  if (isConfirmed) return `Imported ${created} from ${path}${present}. \`${commandName} board\` shows them.`;
  if (goals.created + tasks.created === 0)
    return `All of ${path} is on the board already: ${count(tasks.present, 'task')}.`;
  return `This would import ${created} from ${path}${present}. Nothing was written: repeat it with --yes.`;
}

interface Preview {
  goal: string;
  tasks: number;
  open: number;
  completed: number;
  other: number;
  dependencies: number;
}

const tasksOf = (board: ImportedBoard, goal: string | undefined) => board.tasks.filter((task) => task.goal === goal);

function previewOf(board: ImportedBoard): Preview[] {
  const loose = tasksOf(board, undefined);
  return [
    ...board.goals.map(({ id, name }) => preview(name, tasksOf(board, id))),
    ...(loose.length > 0 ? [preview('(no goal)', loose)] : []),
  ];
}

function preview(goal: string, tasks: readonly ImportedTask[]): Preview {
  const count = (status: ImportedTask['status']) => tasks.filter((task) => task.status === status).length;
  return {
    goal,
    tasks: tasks.length,
    open: count('pending'),
    completed: count('completed'),
    other: count('failed') + count('cancelled'),
    dependencies: tasks.reduce((sum, task) => sum + task.dependencies.length, 0),
  };
}

const previewColumns: Column<Preview>[] = [
  { title: 'GOAL', value: ({ goal }) => goal, isText: true },
  { title: 'TASKS', value: ({ tasks }) => String(tasks), isNumber: true },
  { title: 'OPEN', value: ({ open }) => String(open), isNumber: true },
  { title: 'COMPLETED', value: ({ completed }) => String(completed), isNumber: true },
  { title: 'FAILED OR CANCELLED', value: ({ other }) => String(other), isNumber: true },
  { title: 'DEPENDENCIES', value: ({ dependencies }) => String(dependencies), isNumber: true },
];
