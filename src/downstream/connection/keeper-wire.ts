import { z } from 'zod';
import { isObject, type JsonObject } from '../../base/json.js';
import type { ReadLine } from '../../base/line-reader.js';

/*
 * What a session and the keeper of shared servers tell each other, a line of JSON each. A connection is for one instance:
 * it begins with `open`, answered by `opened` or `failed`. Then messages of MCP go both ways, until one of them ends it.
 */

/** How sessions reach the process that keeps the shared servers. */
export interface KeeperAccess {
  /** Where it listens: a Unix domain socket, or a named pipe. */
  readonly socket: string;
  /** What it prints. */
  readonly logFile: string;
  /** Starts it, unless somebody has just done so. */
  summon(): Promise<void>;
}

const opening = z.strictObject({
  /** Sessions with the same key share a process. */
  key: z.string().min(1),
  server: z.string().min(1),
  /** `github#2`. */
  instance: z.string().min(1),
  launch: z.strictObject({
    command: z.string().min(1),
    args: z.array(z.string()),
    env: z.record(z.string(), z.string()),
    cwd: z.string().optional(),
  }),
  /** How long it may take to answer a health check. */
  checkMs: z.number(),
  /** How long its process goes on when the last session has gone without a word. */
  lingerMs: z.number(),
});

export type Opening = z.output<typeof opening>;

/** The first line of a connection. `look` asks who is there. */
export const firstWord = z.union([z.strictObject({ open: opening }), z.strictObject({ look: z.literal(true) })]);

/**
 * The last line of a session. `leave`: it needs the instance no more. `suspect`: the instance does not seem to work, which
 * the keeper then sees for itself.
 */
export type LastWord = { leave: true } | { suspect: true };

/** The keeper's lines that are not of MCP. */
export type KeeperWord =
  | { opened: { pid: number | undefined; keeper: number } }
  | { failed: { code?: string | undefined; message: string } }
  | { ended: { exit: string | undefined; said: string } }
  | { here: KeeperView };

/** The keeper and its processes. */
export interface KeeperView {
  pid: number;
  instances: { id: string; pid: number | undefined; sessions: number }[];
}

export const lineOf = (word: object): string => `${JSON.stringify(word)}\n`;

/** What a line says; undefined if it is too long, or not an object. */
export function wordOf(line: ReadLine): JsonObject | undefined {
  if (!('text' in line)) return undefined;
  try {
    const word: unknown = JSON.parse(line.text);
    return isObject(word) ? word : undefined;
  } catch {
    return undefined;
  }
}
