import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import {
  ErrorCode,
  ListResourcesRequestSchema,
  ListResourceTemplatesRequestSchema,
  McpError,
  ReadResourceRequestSchema,
  SubscribeRequestSchema,
  UnsubscribeRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { messageOf, RuntimeError } from '../base/errors.js';
import type { Rights } from '../core/access/pass.js';
import type { Actor } from '../core/actor.js';
import type { Event } from '../core/events/events.js';
import type { Runtime } from '../runtime.js';
import { createEventFeed, type EventFeed } from './event-feed.js';

/** A resource: the result of a tool that reads, by address. */
interface Resource {
  uri: string;
  name: string;
  title: string;
  description: string;
  tool: string;
  /** Events of these subjects are updates of it; without any, all events are. */
  subjects: readonly string[];
}

const resources: readonly Resource[] = [
  {
    uri: 'runtime://status',
    name: 'status',
    title: 'What is going on',
    description: 'What runtime_status returns: what is held, unread, running and waiting.',
    tool: 'runtime_status',
    subjects: [],
  },
  {
    uri: 'metrics://summary',
    name: 'metrics',
    title: 'Metrics of the last hour',
    description: 'What get_metrics returns for the last hour.',
    tool: 'get_metrics',
    subjects: ['job'],
  },
];

/** Addresses of single things: the scheme is the subject, the rest its id. */
const templates = [
  { scheme: 'goal', title: 'A goal', tool: 'get_goal', field: 'goal_id' },
  { scheme: 'task', title: 'A task on the board, by number or key', tool: 'get_task', field: 'task_id' },
  { scheme: 'job', title: 'A job or background task', tool: 'get_job_status', field: 'job_id' },
] as const;

const mimeType = 'application/json';

export interface ResourceNeeds {
  actor: Actor;
  rights?: Rights | undefined;
  runtime(): Promise<Runtime>;
}

/** Serves what can be read and followed by address (MCP spec 2025-11-25, resources). */
export function serveResources(server: Server, { actor, rights, runtime }: ResourceNeeds): void {
  const followed = new Set<string>();
  let feed: EventFeed | undefined;

  server.setRequestHandler(ListResourcesRequestSchema, () => ({
    resources: resources.map(({ uri, name, title, description }) => ({ uri, name, title, description, mimeType })),
  }));
  server.setRequestHandler(ListResourceTemplatesRequestSchema, () => ({
    resourceTemplates: templates.map(({ scheme, title, tool }) => ({
      uriTemplate: `${scheme}://{id}`,
      name: scheme,
      title,
      description: `What ${tool} returns.`,
      mimeType,
    })),
  }));
  server.setRequestHandler(ReadResourceRequestSchema, async ({ params: { uri } }, { signal }) => {
    const { tool, input } = findResource(uri);
    const [{ findTool }, { contextOf, runTool }, opened] = await Promise.all([
      import('../tools/index.js'),
      import('../tools/call/run-tool.js'),
      runtime(),
    ]);
    const context = contextOf(opened, actor, { signal, ...(rights ? { rights } : {}) });
    const result = await runTool(findTool(tool), input, context).catch((error: unknown) => {
      if (error instanceof RuntimeError) throw new McpError(ErrorCode.InvalidParams, error.message, { uri });
      throw error;
    });
    return { contents: [{ uri, mimeType, text: JSON.stringify(result) }] };
  });

  // A missing resource may be created later; until then there are no updates.
  server.setRequestHandler(SubscribeRequestSchema, async ({ params: { uri } }) => {
    const { db, log } = await runtime();
    followed.add(uri);
    if (!feed) {
      feed = createEventFeed({ db, log });
      feed.subscribe(await feed.newest(), { take: tell });
    }
    return {};
  });
  server.setRequestHandler(UnsubscribeRequestSchema, ({ params: { uri } }) => {
    followed.delete(uri);
    if (followed.size === 0) stop();
    return {};
  });
  server.onclose = stop;

  function tell(events: readonly Event[]): boolean {
    for (const uri of followed) {
      if (events.some((event) => isAbout(uri, event))) server.sendResourceUpdated({ uri }).catch(() => {});
    }
    return true;
  }

  function stop(): void {
    feed?.close();
    feed = undefined;
  }
}

function findResource(uri: string): { tool: string; input: Record<string, unknown> } {
  const resource = resources.find((known) => known.uri === uri);
  if (resource) return { tool: resource.tool, input: {} };
  const [, scheme, id = ''] = /^(\w+):\/\/(.+)$/.exec(uri) ?? [];
  const template = templates.find((known) => known.scheme === scheme);
  if (template) return { tool: template.tool, input: { [template.field]: idOf(template, decoded(id, uri)) } };
  throw new McpError(ErrorCode.InvalidParams, `There is no resource ${uri}.`, { uri });
}

function isAbout(uri: string, { subject, subjectId }: Event): boolean {
  const resource = resources.find((known) => known.uri === uri);
  if (resource) return resource.subjects.length === 0 || resource.subjects.includes(subject);
  return uri === `${subject}://${subjectId}`;
}

function decoded(id: string, uri: string): string {
  try {
    return decodeURIComponent(id);
  } catch (error) {
    const message = `The address ${uri} is malformed: ${messageOf(error)}. A % begins a byte of UTF-8 in hexadecimal.`;
    throw new McpError(ErrorCode.InvalidParams, message, { uri });
  }
}

/** Goals have numbers alone; tasks take them as text too, and jobs have no others. */
function idOf({ scheme }: (typeof templates)[number], id: string): number | string {
  return scheme === 'goal' && /^\d{1,15}$/.test(id) ? Number(id) : id;
}
