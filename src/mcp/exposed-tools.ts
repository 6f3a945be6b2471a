import type { CallToolResult, Tool as ToolDescription } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { isObject, type JsonObject } from '../base/json.js';
import { cut } from '../base/text.js';
import type { ExposedTool } from '../downstream/exposed-tools.js';
import type { CallOutcome } from '../downstream/routing/caller.js';
import type { Runtime } from '../runtime.js';
import type { AnyTool } from '../tools/call/define-tool.js';
import { changedWarning } from '../tools/shapes/tool-call.js';
import { createEventFeed, type EventFeed } from './event-feed.js';

/** The runtime whose config file says which tools of other servers stand among ours. */
export interface ExposedRuntime {
  /** The runtime if it is open already, or if its config file exposes tools: it is not opened for nothing. */
  now(): Promise<Runtime | undefined>;
  /** Resolves when it has been opened. */
  opened: Promise<Runtime>;
}

export interface ExposedToolsNeeds {
  exposing: ExposedRuntime;
  /** Whoever may only read is offered none of them: what they do is for their servers to say. */
  isReadOnly: boolean;
  feed?: EventFeed | undefined;
}

/** A tool of another server as one of ours. */
export interface OtherTool {
  tool: AnyTool;
  show(output: unknown): CallToolResult;
}

/** How long a call waits for a server whose tools were never listed, and whose name the tool has. */
const listMs = 20_000;

/** The tools of other servers that the config file puts among ours, for one client. */
export class ExposedTools {
  readonly #needs: ExposedToolsNeeds;
  /** What the client was shown last; undefined before that. */
  #shown: string | undefined;
  /** Lists and looks follow one another, so that no change falls between two of them. */
  #working: Promise<unknown> = Promise.resolve();

  constructor(needs: ExposedToolsNeeds) {
    this.#needs = needs;
  }

  /** As `tools/list` has them. Our own tools can be listed whatever is wrong with these. */
  list(): Promise<ToolDescription[]> {
    return this.#inTurn(async () => {
      const tools = await this.#read();
      this.#shown = JSON.stringify(tools);
      return tools;
    });
  }

  /** The tool of a name; of one whose server was never listed, when that has started. */
  async find(name: string): Promise<OtherTool | undefined> {
    const runtime = await this.#runtime();
    if (!runtime) return undefined;
    const find = async () => {
      const exposure = await runtime.downstream.exposed();
      return { ...exposure, found: exposure.tools.find((tool) => tool.name === name) };
    };
    let { found, unlisted } = await find();
    const server = unlisted.find((each) => name.startsWith(`${each}__`));
    if (!found && server !== undefined) {
      await runtime.downstream.check(server, listMs).catch(() => {});
      found = (await find()).found;
    }
    return found && asOwn(found);
  }

  follow(publish: () => void): () => void {
    let end = () => {};
    let hasEnded = false;
    const look = () =>
      this.#inTurn(async () => {
        if (this.#shown === undefined || hasEnded) return;
        const now = JSON.stringify(await this.#read());
        if (now === this.#shown) return;
        this.#shown = now;
        publish();
      }).catch(() => {});
    // A client that listens before it has listed anything knows what there was then.
    void this.#inTurn(async () => {
      this.#shown ??= JSON.stringify(await this.#read());
    });
    void this.#needs.exposing.opened.then((runtime) => {
      if (!hasEnded) end = this.#followIn(runtime, look);
    });
    return () => {
      hasEnded = true;
      end();
    };
  }

  /** Changes of this process, and those that other sessions have written down. */
  #followIn(runtime: Runtime, look: () => void): () => void {
    const ends: (() => void)[] = [];
    let isHearing = false;
    let hasEnded = false;
    const hear = async () => {
      // The table of events is polled, so only where there is something to hear.
      if (isHearing || hasEnded || !(await this.#isExposing(runtime)) || isHearing) return;
      isHearing = true;
      const feed = this.#needs.feed ?? createEventFeed(runtime);
      const unsubscribe = feed.subscribe(await feed.newest(), {
        take(events) {
          if (events.some(({ subject }) => subject === 'server')) look();
          return true;
        },
      });
      if (hasEnded) unsubscribe();
      else ends.push(unsubscribe);
    };
    const onProblem = (error: unknown) => runtime.log.warn('changes of tools could not be followed', { error });
    const changed = () => {
      look();
      hear().catch(onProblem);
    };
    ends.push(runtime.downstream.onToolsChanged(changed));
    hear().catch(onProblem);
    return () => {
      hasEnded = true;
      for (const end of ends) end();
    };
  }

  async #isExposing({ downstream }: Runtime): Promise<boolean> {
    const { tools, unlisted } = await downstream.exposed();
    return tools.length + unlisted.length > 0;
  }

  async #read(): Promise<ToolDescription[]> {
    const runtime = await this.#runtime();
    if (!runtime) return [];
    try {
      return (await runtime.downstream.exposed()).tools.map(describe);
    } catch (error) {
      runtime.log.warn('the tools of other servers could not be listed', { error });
      return [];
    }
  }

  /** Undefined if there is nothing to expose, or if it cannot be opened, which every call of our own says. */
  async #runtime(): Promise<Runtime | undefined> {
    if (this.#needs.isReadOnly) return undefined;
    return this.#needs.exposing.now().catch(() => undefined);
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = this.#working.then(work);
    this.#working = done.catch(() => {});
    return done;
  }
}

const longestDescription = 4_000;

const hint = z.boolean().optional().catch(undefined);
const annotationsSchema = z.looseObject({
  title: z.string().optional().catch(undefined),
  readOnlyHint: hint,
  destructiveHint: hint,
  idempotentHint: hint,
  openWorldHint: hint,
});

/** A schema as clients take it. They refuse a whole list for one tool that is not as the protocol wants it. */
const inputSchema = z
  .looseObject({
    type: z.literal('object'),
    properties: z
      .record(z.string(), z.unknown())
      .transform((all) => Object.fromEntries(Object.entries(all).filter(([, schema]) => isObject(schema))))
      .optional(),
    required: z.array(z.string()).optional(),
  })
  .catch({ type: 'object' });

/**
 * As its server lists it, under our name. The schema of its results is left out: what answers may be a backup, or the
 * cache, and a client refuses a result that is not of the form promised.
 */
function describe({ name, server, tool, isChanged }: ExposedTool): ToolDescription {
  const { title, description = '', annotations } = tool;
  const warning = isChanged
    ? `(Changed since it was first seen, and not accepted by the user: agent-runtime servers accept ${server}) `
    : '';
  return {
    name,
    ...(title === undefined ? {} : { title }),
    description: cut(`${warning}${description}`, longestDescription),
    inputSchema: inputSchema.parse(tool.inputSchema) as ToolDescription['inputSchema'],
    ...(annotations === undefined ? {} : { annotations: annotationsSchema.parse(annotations) }),
  } as ToolDescription;
}

/** Called like `call_tool` with its full name. Its own server checks the arguments. */
function asOwn({ name, server, tool }: ExposedTool): OtherTool {
  const own: Partial<AnyTool> & Pick<AnyTool, 'handler'> = {
    name,
    title: name,
    effect: 'destroy',
    isExternal: true,
    description: tool.description ?? '',
    input: z.looseObject({}),
    output: z.unknown(),
    handler: (args, { runtime, signal, progress, isWatched }) =>
      runtime.downstream.call({
        tool: `${server}.${tool.name}`,
        args: args as JsonObject,
        signal,
        onProgress: isWatched ? progress : undefined,
      }),
  };
  return { tool: own as AnyTool, show: (output) => showOutcome(output as CallOutcome) };
}

/** The server's own result, and what its reader should know beside it. */
function showOutcome({ tool, result, isChanged, isStale, ageSeconds, source, instance }: CallOutcome): CallToolResult {
  const notes = [
    ...(isStale ? [`No server answered: this is an answer of ${ageSeconds} s ago.`] : []),
    ...(isChanged ? [changedWarning(tool)] : []),
  ];
  const { content = [{ type: 'text', text: JSON.stringify(result.structuredContent) }] } = result;
  const said = notes.map((text) => ({ type: 'text', text: `Note: ${text}` }));
  const own = isObject(result._meta) ? result._meta : {};
  return {
    ...result,
    content: [...content, ...said],
    _meta: { ...own, 'agent-runtime/answered': { source, instance } },
  } as CallToolResult;
}
