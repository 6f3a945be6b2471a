import { z } from 'zod';
import { type Handlers, RequestError, readParams } from './exchange.js';
import { invalidParams } from './json-rpc.js';
import { refuseCursor } from './no-cursor.js';
import type { OtherCatalogs } from './other-catalogs.js';

interface Prompt {
  name: string;
  title: string;
  description: string;
  argument?: { name: string; description: string; isRequired: boolean };
  /** The message that it stands for; an argument that was left out is ''. */
  text(argument: string): string;
}

const prompts: readonly Prompt[] = [
  {
    name: 'plan',
    title: 'Plan a goal',
    description: 'Makes a goal and breaks it down into tasks that any session can take.',
    argument: { name: 'goal', description: 'What is to be reached.', isRequired: true },
    text: (goal) =>
      `Make a goal of the following with create_goal, then break it down with decompose_goal: pass tasks of your own, each ` +
      `with acceptance criteria and with depends_on where one needs another. Show me the plan with its ids.\n\n${goal}`,
  },
  {
    name: 'work',
    title: 'Work the board',
    description: 'Takes ready tasks one after another until none is left.',
    argument: { name: 'goal_id', description: 'Only tasks of this goal.', isRequired: false },
    text: (goalId) =>
      `Call claim_next_task${goalId === '' ? '' : ` with goal_id ${goalId}`}, do the task as its acceptance criteria say, and ` +
      'end it with update_task_status and its claim_token: completed with a result that the tasks after it can build on, ' +
      'or failed with the reason. Go on until nothing is ready; then tell me what was done and what waits for what.',
  },
  {
    name: 'status',
    title: 'Where do things stand?',
    description: 'Sums up what is held, running, unread and stuck.',
    text: () =>
      'Call runtime_status, read the results that nobody has read yet, and tell me in a few lines where things stand, ' +
      'what is stuck and why, and what to do next.',
  },
  {
    name: 'from_template',
    title: 'Start from a template',
    description: 'Creates the tasks of a stored template.',
    argument: { name: 'template', description: 'The name of the template.', isRequired: true },
    text: (template) =>
      `Find the template ${JSON.stringify(template)} with list_task_templates. Ask me for the parameters that I have not ` +
      'given, then create its tasks with create_tasks and show me their ids.',
  },
];

const getParams = z.looseObject({
  name: z.string(),
  arguments: z.record(z.string(), z.string()).optional(),
});

/** Prompts for people, which clients offer as commands (MCP spec 2025-11-25, prompts). */
export const promptHandlers = (others: Pick<OtherCatalogs, 'prompts' | 'prompt'>): Handlers => ({
  'prompts/list': async (params) => {
    refuseCursor('prompts/list', params);
    return { prompts: [...prompts.map(show), ...(await others.prompts())] };
  },
  'prompts/get': async (params, { signal }) => {
    const given = readParams('prompts/get', getParams, params);
    const prompt = prompts.find(({ name }) => name === given.name);
    if (!prompt) {
      const other = await others.prompt(given.name, given.arguments ?? {}, signal);
      if (other) return other;
      const known = prompts.map(({ name }) => name).join(', ');
      throw new RequestError(invalidParams, `There is no prompt ${JSON.stringify(given.name)}. Known: ${known}.`);
    }
    const { argument } = prompt;
    const text = argument ? (given.arguments?.[argument.name] ?? '').trim() : '';
    if (argument?.isRequired && text === '') {
      const message = `The prompt ${prompt.name} needs ${argument.name}: ${argument.description}`;
      throw new RequestError(invalidParams, message);
    }
    return {
      description: prompt.description,
      messages: [{ role: 'user', content: { type: 'text', text: prompt.text(text) } }],
    };
  },
});

function show({ name, title, description, argument }: Prompt) {
  if (!argument) return { name, title, description };
  const shown = { name: argument.name, description: argument.description, required: argument.isRequired };
  return { name, title, description, arguments: [shown] };
}
