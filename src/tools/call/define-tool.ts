import type { z } from 'zod';
import type { JsonObject } from '../../base/json.js';
import type { Rights } from '../../core/access/pass.js';
import type { Actor } from '../../core/actor.js';
import type { Runtime } from '../../runtime.js';

/** What a tool does to the world: `read` changes nothing, `destroy` may lose something that cannot be made again. */
export type Effect = 'read' | 'write' | 'destroy';

export interface ToolContext {
  runtime: Runtime;
  /** Who calls. */
  actor: Actor;
  /** With whose rights. */
  rights: Rights;
  /** The server process that keeps the caller's slots alive, if there is one. */
  sessionId: string | undefined;
  signal: AbortSignal;
  /** Tells the client that the call is alive. */
  progress(message: string): void;
  /** Tells the caller what of the arguments was read as something else than they say. */
  note?(text: string): void;
  /** Whether the client asked for progress. */
  isWatched?: boolean;
  /** Asks the client's own model, where the client lets servers do so. */
  sample: ((prompt: string) => Promise<string>) | undefined;
  /**
   * Asks the user whether a call may destroy what it is about to, where the client can ask. Throws `cancelled` for any
   * answer but yes.
   */
  confirm?(tool: AnyTool, input: unknown): Promise<void>;
}

/** One tool, from which MCP, the command line and the dashboard's JSON are all derived. */
export interface Tool<Input extends z.ZodObject = z.ZodObject, Output extends z.ZodType = z.ZodType> {
  /** `[a-z_]`, 30 characters at most, unique over all toolsets. */
  readonly name: string;
  readonly title: string;
  readonly effect: Effect;
  /** For a model: what it does, when to use it, which tool comes next. Under 600 characters. */
  readonly description: string;
  /** A strict object; every field described. */
  readonly input: Input;
  readonly output: Output;
  handler(input: z.output<Input>, context: ToolContext): Promise<z.input<Output>>;
  /** The sentence that goes with the result; without it, the result itself as JSON. */
  text?(output: z.input<Output>): string;
  /** What a reader needs beside a sentence whose form is that of an earlier system. */
  facts?(output: z.input<Output>): string;
  /** Blocks of a result that is not all text, sent in place of the structure: clients show one or the other. */
  content?(output: z.input<Output>): JsonObject[] | undefined;
  /** Whether the output tells of a failure that is not ours, which clients are to mark as one all the same. */
  isFailure?(output: z.input<Output>): boolean;
  /** Calling it again with the same input changes nothing more; reads are so anyway. */
  readonly isIdempotent?: boolean;
  /** Reaches beyond this machine's runtime: a model, the web, another server. */
  readonly isExternal?: boolean;
  /** What it takes away cannot be brought back: the user is asked first, where the client can ask. */
  readonly isFinal?: boolean;
  /** One of the few whose full schema a client should always have at hand. */
  readonly isEntry?: boolean;
}

/** Declares a tool with its handler typed by its schemas. */
export function defineTool<Input extends z.ZodObject, Output extends z.ZodType>(tool: Tool<Input, Output>): AnyTool {
  return tool as unknown as AnyTool;
}

/** A tool whose input has been checked by its own schema, and is no longer of interest to the compiler. */
export type AnyTool = Tool<z.ZodObject, z.ZodType>;

/** What the arguments of a call are checked by. */
export type Checked = Pick<AnyTool, 'name' | 'input'>;
