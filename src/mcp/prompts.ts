import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import {
  ErrorCode,
  GetPromptRequestSchema,
  ListPromptsRequestSchema,
  McpError,
} from '@modelcontextprotocol/sdk/types.js';

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
];

/** Serves prompts for people, which clients offer as commands (MCP spec 2025-11-25, prompts). */
export function servePrompts(server: Server): void {
  server.setRequestHandler(ListPromptsRequestSchema, () => ({
    prompts: prompts.map(({ name, title, description, argument }) => ({
      name,
      title,
      description,
      ...(argument
        ? {
            arguments: [{ name: argument.name, description: argument.description, required: argument.isRequired }],
          }
        : {}),
    })),
  }));
  server.setRequestHandler(GetPromptRequestSchema, ({ params }) => {
    const prompt = prompts.find(({ name }) => name === params.name);
    if (!prompt) {
      const known = prompts.map(({ name }) => name).join(', ');
      throw new McpError(
        ErrorCode.InvalidParams,
        `There is no prompt ${JSON.stringify(params.name)}. Known: ${known}.`,
      );
    }
    const { argument } = prompt;
    const given = argument ? (params.arguments?.[argument.name] ?? '').trim() : '';
    if (argument?.isRequired && given === '') {
      throw new McpError(
        ErrorCode.InvalidParams,
        `The prompt ${prompt.name} needs ${argument.name}: ${argument.description}`,
      );
    }
    return {
      description: prompt.description,
      messages: [{ role: 'user' as const, content: { type: 'text' as const, text: prompt.text(given) } }],
    };
  });
}
