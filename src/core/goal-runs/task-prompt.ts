import type { Sql } from '../../store/sql.js';
import { refusalMark } from '../jobs/refusal.js';
import type { GoalRow } from '../tasks/goal.js';
import type { TaskRow } from '../tasks/task.js';
import { createMarker, cutText, materialRule, taskMaterial } from './prompt-material.js';

/** The prompts for the model that does a task. The rules are in `system`, apart from the material that others wrote. */
export interface TaskPrompt {
  system: string;
  prompt: string;
}

/** Limit in characters: goals may be described at any length. */
const longestGoalText = 20_000;

const system = `You do one task of a larger goal, on your own: nobody can answer questions, and you see only what stands here.
Your answer is stored as the task's result as it is, and the tasks after it are given it. Give the result itself, complete and without talk around it.
${materialRule}
If the task cannot be done, begin your answer with ${refusalMark} and say why; then it counts as failed, and nothing is built on it.`;

/** The prompts for a task of a run. A text that is cut says so. */
export async function taskPrompt(sql: Sql, goal: GoalRow, task: TaskRow): Promise<TaskPrompt> {
  // The task comes first, because lists of background tasks show the beginning of a prompt.
  const parts = [`# Your task: ${task.title}\n\n${task.description}`, ...expectations(task)];
  parts.push(`# The goal that it belongs to: ${goal.name}\n\n${cutText(goal.description, longestGoalText)}`);
  parts.push(...(await taskMaterial(sql, task, createMarker())));
  return { system, prompt: parts.map((part) => part.trim()).join('\n\n') };
}

/** What a task must bring, in its maker's words. */
export function expectations({ acceptance, expected_output }: TaskRow): string[] {
  const parts: string[] = [];
  if (acceptance !== null) parts.push(`# It is done when\n\n${acceptance}`);
  if (expected_output !== null) parts.push(`# What is expected of you\n\n${expected_output}`);
  return parts;
}
