import { resolve } from 'node:path';
import { exportBoard } from '../../core/overview/export-board.js';
import { withinProject } from '../board/within-project.js';
import type { CommandContext } from '../define-command.js';
import { readSettingOf, withRuntime } from '../with-runtime.js';
import { writeWhole } from '../write-whole.js';
import type { ExportedBoard } from './own-export.js';

export interface ExportOptions {
  format: 'json' | 'markdown' | undefined;
  /** Of every project, rather than of this one and of none. */
  isAll: boolean;
  goalId: number | undefined;
  file: string | undefined;
}

/** Writes the goals and tasks as JSON, which `import agent-runtime` reads, or as Markdown for people. */
export async function runExport(
  { format, isAll, goalId, file }: ExportOptions,
  { flags, output }: CommandContext,
): Promise<void> {
  const board = await withRuntime(readSettingOf(flags), ({ db, config }) =>
    exportBoard(db, { goalId, withinProject: withinProject(config, isAll) }),
  );
  const chosen = format ?? (file !== undefined && /\.(md|markdown)$/i.test(file) ? 'markdown' : 'json');
  const text = chosen === 'markdown' ? toMarkdown(board) : `${JSON.stringify(board, null, 2)}\n`;
  if (file === undefined) {
    output.quote(text.trimEnd());
    return;
  }
  const path = resolve(file);
  writeWhole(path, text);
  const counts = { goals: board.goals.length, tasks: board.tasks.length };
  if (flags.isJson) output.printJson({ path, ...counts });
  else output.print(`Exported ${counts.goals} goals and ${counts.tasks} tasks: ${path}`);
}

type Task = ExportedBoard['tasks'][number];

/** The board as Markdown: a heading a goal, a line a task with a box that is ticked when it is done. */
export function toMarkdown({ goals, tasks }: ExportedBoard): string {
  const loose = tasks.filter(({ goal_id }) => goal_id === null || !goals.some(({ id }) => id === goal_id));
  const parts = goals.map(({ id, name, description, status }) => [
    `# ${escaped(name)}${status === 'active' ? '' : ` (${status})`}`,
    ...(description.trim() === '' ? [] : ['', description.trim()]),
    '',
    ...tasks.filter(({ goal_id }) => goal_id === id).flatMap(taskLines),
  ]);
  if (loose.length > 0) parts.push(['# Tasks of no goal', '', ...loose.flatMap(taskLines)]);
  return `${parts.map((lines) => lines.join('\n').trimEnd()).join('\n\n')}\n`;
}

function taskLines({ id, key, title, status, priority, dependencies, deadline, ...task }: Task): string[] {
  const facts = [
    ...(key === null ? [] : [`\`${key}\``]),
    ...(status === 'pending' || status === 'completed' ? [] : [status.replaceAll('_', ' ')]),
    ...(priority === 5 ? [] : [`priority ${priority}`]),
    ...(dependencies.length === 0 ? [] : [`after ${dependencies.map((each) => `#${each}`).join(', ')}`]),
    ...(deadline === null ? [] : [`due ${deadline.slice(0, 10)}`]),
  ];
  const texts: [label: string, text: string | null][] = [
    ['', task.description],
    ['Done when: ', task.acceptance],
    ['Result: ', task.result],
    ['Error: ', task.error],
  ];
  return [
    `- [${status === 'completed' ? 'x' : ' '}] **#${id}** ${escaped(title)}${facts.length > 0 ? ` (${facts.join('; ')})` : ''}`,
    ...texts.flatMap(([label, text]) => (text?.trim() ? ['', ...indented(label + text.trim())] : [])),
  ];
}

const indented = (text: string): string[] => text.split('\n').map((line) => (line === '' ? '' : `  ${line}`));

/** A title has no markup of its own. */
const escaped = (text: string): string => text.replaceAll(/\s+/g, ' ').replaceAll(/[\\`*_[\]<>#]/g, '\\$&');
