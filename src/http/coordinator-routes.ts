import { Hono } from 'hono';
import type { ErrorReport } from '../base/errors.js';
import { isObject } from '../base/json.js';
import type { AnyTool } from '../tools/call/define-tool.js';
import type { JsonSchema } from '../tools/call/input-schema.js';
import { failureResponse } from './failure.js';
import type { Env } from './guard.js';
import { bodyOf, createToolCalls, type ToolCallNeeds } from './tool-calls.js';

type Fields = Record<string, unknown>;

/** An address of the task coordinator, and the tool that answers it. */
export interface CoordinatorRoute {
  method: 'GET' | 'POST';
  path: string;
  tool: string;
  /** The arguments of the tool, where they are not the body as it is. */
  given?(body: unknown): unknown;
  /** The JSON schema of the body, from that of the tool's arguments where it is not the same; undefined for none. */
  body?(input: JsonSchema): JsonSchema | undefined;
  /** The pages of this list are put together. */
  list?: string;
  /** The answer, where it is not `{success: true, ...}` with the fields of the result. */
  answer?(result: Fields): unknown;
}

/**
 * The addresses of the task coordinator, for programs that were written for it (agent-coordinate-mcp, `httpClient.ts` and
 * `public/script.js`). `/api/workers` of its page answered with the bare list; here it is that of its server everywhere.
 */
export const coordinatorRoutes: readonly CoordinatorRoute[] = [
  { method: 'POST', path: '/api/claim-worker-slot', tool: 'claim_worker_slot' },
  { method: 'POST', path: '/api/release-worker-slot', tool: 'release_worker_slot' },
  { method: 'POST', path: '/api/claim-task', tool: 'claim_task' },
  { method: 'POST', path: '/api/update-task', tool: 'update_task' },
  { method: 'POST', path: '/api/add-task', tool: 'add_task', given: newTask, body: bodyOfNewTask },
  { method: 'POST', path: '/api/reset-failed-task', tool: 'reset_failed_task' },
  {
    method: 'POST',
    path: '/api/clean-all-tasks',
    tool: 'clean_all_tasks',
    given: () => ({ confirm: true }),
    body: () => undefined,
  },
  { method: 'GET', path: '/api/available-tasks', tool: 'get_available_tasks', list: 'tasks' },
  { method: 'GET', path: '/api/all-tasks', tool: 'get_all_tasks', list: 'tasks' },
  { method: 'GET', path: '/api/workers', tool: 'get_workers' },
  { method: 'GET', path: '/api/tasks', tool: 'get_all_tasks', list: 'tasks', answer: ({ tasks }) => tasks },
  { method: 'POST', path: '/api/tasks', tool: 'add_task', given: newTask, body: bodyOfNewTask },
];

/**
 * The tools under the addresses of the task coordinator: with the rights, limits and statuses of `/api/tools/NAME`, and
 * answers in its form, `{success: true, ...}` or `{success: false, error, code, hint}`.
 */
export function coordinatorApi(tools: readonly AnyTool[], needs: ToolCallNeeds): Hono<Env> {
  const { find, call } = createToolCalls(tools, needs);
  const app = new Hono<Env>();
  for (const route of coordinatorRoutes) {
    const { given = (body: unknown) => body, answer = succeeded } = route;
    app.on(route.method, route.path, async (context) => {
      const { req } = context;
      const tool = find(route.tool);
      const ask = (input: unknown) => call(tool, input, context.get('visitor'), req.raw.signal);
      const { list } = route;
      const response = list ? await allPages(ask, list) : await ask(given(await inputOf(req.raw)));
      return response.ok ? Response.json(answer((await response.json()) as Fields)) : failed(response);
    });
  }
  return app.onError((error) => failed(failureResponse(error)));
}

const inputOf = (request: Request): Promise<unknown> | unknown => (request.method === 'GET' ? {} : bodyOf(request));

const succeeded = (result: Fields): unknown => ({ success: true, ...result });

async function failed(response: Response): Promise<Response> {
  const { error } = (await response.json()) as { error: ErrorReport };
  const { message, ...rest } = error;
  return Response.json({ success: false, error: message, ...rest }, { status: response.status });
}

/** What a task had while it was new: those programs sent whole tasks, and the server itself made them new. */
const fieldsOfNewTask = ['status', 'worker', 'error', 'startedAt', 'completedAt'];

/** The task, by itself or as `{task}`. The form of their page sends an empty output for none. */
function newTask(body: unknown): unknown {
  const task = isObject(body) && isObject(body.task) ? body.task : body;
  if (!isObject(task)) return task;
  const isGiven = ([name, value]: [string, unknown]) =>
    !fieldsOfNewTask.includes(name) && !(name === 'output' && value === '');
  return Object.fromEntries(Object.entries(task).filter(isGiven));
}

/** What `newTask` takes. */
function bodyOfNewTask({ additionalProperties: _, ...task }: JsonSchema): JsonSchema {
  const described = 'Of the fields of a task those that it gets by work are not read.';
  return {
    anyOf: [
      { ...task, description: described },
      { type: 'object', required: ['task'], properties: { task: { ...task, description: described } } },
    ],
  };
}

/** Of more tasks than these the rest is on the page after `next_cursor`, which the tool itself takes. */
const mostPages = 50;

/** A list from its first page on: those programs know of no pages. */
async function allPages(ask: (input: unknown) => Promise<Response>, list: string): Promise<Response> {
  const items: unknown[] = [];
  let cursor: unknown;
  for (let page = 0; page < mostPages; page++) {
    const response = await ask({ limit: 200, ...(cursor === undefined ? {} : { cursor }) });
    if (!response.ok) return response;
    const result = (await response.json()) as Fields;
    items.push(...(result[list] as unknown[]));
    cursor = result.next_cursor;
    if (cursor === undefined) break;
  }
  const more = cursor === undefined ? {} : { next_cursor: cursor };
  return Response.json({ [list]: items, count: items.length, ...more });
}
