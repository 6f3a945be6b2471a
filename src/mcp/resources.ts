import { z } from 'zod';
import { messageOf, RuntimeError } from '../base/errors.js';
import type { Rights } from '../core/access/pass.js';
import type { Actor } from '../core/actor.js';
import { listOpen, type OpenThing } from '../core/overview/addresses.js';
import type { Runtime } from '../runtime.js';
import { type Handlers, RequestError, readParams } from './exchange.js';
import { invalidParams } from './json-rpc.js';
import { refuseCursor } from './no-cursor.js';
import { isOfOtherServer, type OtherCatalogs } from './other-catalogs.js';

/** A resource: the result of a tool that reads, by address. */
interface Resource {
  uri: string;
  name: string;
  title: string;
  description: string;
  tool: string;
}

const resources: readonly Resource[] = [
  {
    uri: 'runtime://status',
    name: 'status',
    title: 'What is going on',
    description: 'What runtime_status returns: what is held, unread, running and waiting.',
    tool: 'runtime_status',
  },
  {
    uri: 'metrics://summary',
    name: 'metrics',
    title: 'Metrics of the last hour',
    description: 'What get_metrics returns for the last hour.',
    tool: 'get_metrics',
  },
];

/** Addresses of single things: the scheme says what it is, the rest its id. */
const templates = [
  { scheme: 'goal', variable: 'id', title: 'A goal', tool: 'get_goal', field: 'goal_id' },
  {
    scheme: 'task',
    variable: 'id',
    title: 'A task on the board, by number or key',
    tool: 'get_task',
    field: 'task_id',
  },
  { scheme: 'job', variable: 'id', title: 'A job or background task', tool: 'get_job_status', field: 'job_id' },
  { scheme: 'agent', variable: 'type', title: 'A type of job, with its schema', tool: 'list_agents', field: 'type' },
] as const;

const mimeType = 'application/json';

/** So many goals and so many jobs are listed; the tools list them all. */
const mostListed = 50;

export interface ResourceNeeds {
  actor: Actor;
  rights?: Rights | undefined;
  runtime(): Promise<Runtime>;
  others: Pick<OtherCatalogs, 'resources' | 'templates' | 'read'>;
}

const readUri = z.looseObject({ uri: z.string() });

/** What can be read by address (MCP spec 2025-11-25, resources). */
export function resourceHandlers({ actor, rights, runtime, others }: ResourceNeeds): Handlers {
  return {
    'resources/list': async (params) => {
      refuseCursor('resources/list', params);
      const open = await openThings(actor, runtime);
      return { resources: [...resources.map(show), ...open.map(showOpen), ...(await others.resources())] };
    },
    'resources/templates/list': async (params) => {
      refuseCursor('resources/templates/list', params);
      const own = templates.map(({ scheme, variable, title, tool }) => ({
        uriTemplate: `${scheme}://{${variable}}`,
        name: scheme,
        title,
        description: `What ${tool} returns.`,
        mimeType,
      }));
      return { resourceTemplates: [...own, ...(await others.templates())] };
    },
    'resources/read': async (params, { signal }) => {
      const { uri } = readParams('resources/read', readUri, params);
      const other = await others.read(uri, signal);
      if (other) return other;
      const { tool, input } = findResource(uri);
      const [{ findTool }, { contextOf, runTool }, opened] = await Promise.all([
        import('../tools/index.js'),
        import('../tools/call/run-tool.js'),
        runtime(),
      ]);
      const context = contextOf(opened, actor, { signal, ...(rights ? { rights } : {}) });
      const result = await runTool(findTool(tool), input, context).catch((error: unknown) => {
        if (error instanceof RuntimeError) throw new RequestError(invalidParams, error.message, { uri });
        throw error;
      });
      return { contents: [{ uri, mimeType, text: JSON.stringify(result) }] };
    },
  };
}

/**
 * The uri of a request that follows a resource. One that is not there may come to be; until then nothing is told. Throws
 * RequestError for a resource of another server, of whose changes nothing would ever be told.
 */
export function uriToFollow(method: string, params: unknown): string {
  const { uri } = readParams(method, readUri, params);
  if (!isOfOtherServer(uri)) return uri;
  const message = `${uri} is another server's, whose changes are not passed on. Read it again with resources/read when you need it.`;
  throw new RequestError(invalidParams, message, { uri });
}

function show({ uri, name, title, description }: Resource) {
  return { uri, name, title, description, mimeType };
}

/** Clients offer these by name, as after an @. */
function showOpen({ kind, id, name }: OpenThing) {
  const title = kind === 'goal' ? name : `${name} job`;
  const description = kind === 'goal' ? 'An active goal.' : 'A job that has not ended.';
  return { uri: `${kind}://${id}`, name: `${kind}-${id}`, title, description, mimeType };
}

/** Nothing, where the runtime cannot be opened: that is for a tool to say. */
async function openThings(actor: Actor, runtime: () => Promise<Runtime>): Promise<OpenThing[]> {
  try {
    return await listOpen((await runtime()).db, actor.project || undefined, mostListed);
  } catch (error) {
    if (error instanceof RuntimeError) return [];
    throw error;
  }
}

function findResource(uri: string): { tool: string; input: Record<string, unknown> } {
  const resource = resources.find((known) => known.uri === uri);
  if (resource) return { tool: resource.tool, input: {} };
  const [, scheme, id = ''] = /^(\w+):\/\/(.+)$/.exec(uri) ?? [];
  const template = templates.find((known) => known.scheme === scheme);
  if (template) return { tool: template.tool, input: { [template.field]: idOf(template, decoded(id, uri)) } };
  throw new RequestError(invalidParams, `There is no resource ${uri}.`, { uri });
}

function decoded(id: string, uri: string): string {
  try {
    return decodeURIComponent(id);
  } catch (error) {
    const message = `The address ${uri} is malformed: ${messageOf(error)}. A % begins a byte of UTF-8 in hexadecimal.`;
    throw new RequestError(invalidParams, message, { uri });
  }
}

/** Goals have numbers alone; tasks take them as text too, and jobs have no others. */
function idOf({ scheme }: (typeof templates)[number], id: string): number | string {
  return scheme === 'goal' && /^\d{1,15}$/.test(id) ? Number(id) : id;
}
