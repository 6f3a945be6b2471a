import type { Implementation, Tool as ToolDescription } from '@modelcontextprotocol/sdk/types.js';
import { type ErrorReport, RuntimeError, reportError } from '../base/errors.js';
import { isOfIssuer, type Rights } from '../core/access/pass.js';
import type { AnyTool } from '../tools/call/define-tool.js';
import type { contextOf } from '../tools/call/run-tool.js';
import type { Missing, ToolChoice } from '../tools/index.js';
import type { callTool, toErrorResult } from './call-tool.js';
import { toolsetsFor } from './known-clients.js';

/** The tools of one client, as its settings and its kind choose them. */
export interface ToolSurface {
  descriptions(): ToolDescription[];
  /** The tool to run; undefined if there is none of this name, or the settings leave it out. */
  find(name: string): AnyTool | undefined;
  /** Why there is none. */
  explainMissing(name: string, rights: Rights | undefined): ErrorReport;
  /** What is wrong with the settings: every call is answered with it. */
  problem?: Error;
  /** What runs them, imported with them: to import it again takes longer than a short call. */
  run: { callTool: typeof callTool; contextOf: typeof contextOf; toErrorResult: typeof toErrorResult };
}

export interface ToolSurfaces {
  /** The surface for a client; the tools themselves are imported on first use. */
  for(client: Implementation | undefined, isReadOnly: boolean): Promise<ToolSurface>;
  /** The names of the tools that it lists; undefined for all of them, so that nothing has to be imported to say so. */
  offered(client: Implementation | undefined, isReadOnly: boolean): Promise<ReadonlySet<string> | undefined>;
}

/** Builds the surface of each kind of client once. */
export function createToolSurfaces(choice: Pick<ToolChoice, 'toolsets'>): ToolSurfaces {
  const built = new Map<string, Promise<ToolSurface>>();
  function surfaceFor(client: Implementation | undefined, isReadOnly: boolean): Promise<ToolSurface> {
    const toolsets = toolsetsFor(choice.toolsets, client);
    const key = `${toolsets} ${isReadOnly}`;
    const known = built.get(key);
    if (known) return known;
    const building = buildSurface({ toolsets: choice.toolsets, isReadOnly }, toolsets).catch((error: unknown) => {
      // A process that may open no more files cannot import them now.
      built.delete(key);
      throw notLoaded(error);
    });
    built.set(key, building);
    return building;
  }
  return {
    for: surfaceFor,
    async offered(client, isReadOnly) {
      if (toolsetsFor(choice.toolsets, client) === 'all' && !isReadOnly) return undefined;
      const surface = await surfaceFor(client, isReadOnly);
      return new Set(surface.descriptions().map(({ name }) => name));
    },
  };
}

/** Of a part of the program that cannot be imported now; a protocol error has no place for a hint but its message. */
function notLoaded(error: unknown): RuntimeError {
  const { code, message, hint } = reportError(error);
  return new RuntimeError(code, `The tools cannot be loaded: ${message}. ${hint ?? ''}`, hint, { cause: error });
}

/** A tool that was left out for the client's sake alone is run all the same if it is called by its name. */
async function buildSurface(wanted: ToolChoice, listedToolsets: string): Promise<ToolSurface> {
  const [{ chooseTools, whyMissing }, { contextOf }, { callTool, describeTools, toErrorResult }] = await Promise.all([
    import('../tools/index.js'),
    import('../tools/call/run-tool.js'),
    import('./call-tool.js'),
  ]);
  const { choice, problem } = choiceOrProblem(chooseTools, wanted);
  const tools = new Map(chooseTools(choice).map((tool) => [tool.name, tool]));
  let described: ToolDescription[] | undefined;
  return {
    descriptions() {
      described ??= describeTools(problem ? [...tools.values()] : chooseTools({ ...wanted, toolsets: listedToolsets }));
      return described;
    },
    find: (name) => tools.get(name),
    explainMissing: (name, rights) => explainMissing(name, whyMissing(name, choice), { ...wanted, rights }),
    ...(problem ? { problem } : {}),
    run: { callTool, contextOf, toErrorResult },
  };
}

/** If a chosen toolset does not exist, all tools are listed, and every call says what is wrong. */
function choiceOrProblem(
  choose: (choice: ToolChoice) => AnyTool[],
  wanted: ToolChoice,
): { choice: ToolChoice; problem?: Error } {
  try {
    choose(wanted);
    return { choice: wanted };
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    return { choice: { ...wanted, toolsets: 'all' }, problem: error };
  }
}

function waysToWrite(rights: Rights | undefined): string {
  if (rights && isOfIssuer(rights))
    return 'Ask the user to log in with the right to write, if you are to change anything.';
  return rights && rights.tokenId !== 'owner'
    ? 'Ask the user for a token that was made without --read-only, if you are to change anything.'
    : 'Ask the user to unset AGENT_RUNTIME_READ_ONLY for this server, if it is to change anything.';
}

/** A tool that is not offered is answered as any other failure, so that the model sees it: few clients show a protocol error. */
function explainMissing(
  given: string,
  missing: Missing,
  { toolsets, rights }: ToolChoice & { rights: Rights | undefined },
): ErrorReport {
  switch (missing.why) {
    case 'read_only':
      return {
        code: 'not_found',
        message: `This server is read-only, and ${missing.name} changes data: it is left out.`,
        hint: waysToWrite(rights),
      };
    case 'not_chosen':
      return {
        code: 'not_found',
        message: `${missing.name} is left out of this server, which offers the toolsets ${JSON.stringify(toolsets)}.`,
        hint: 'Ask the user to set AGENT_RUNTIME_TOOLSETS of this server to all.',
      };
    case 'unknown': {
      const { similar } = missing;
      return {
        code: 'not_found',
        message: `There is no tool ${JSON.stringify(given)} here.`,
        hint: similar.length > 0 ? `Did you mean ${similar.join(' or ')}?` : 'tools/list names all tools.',
      };
    }
  }
}
