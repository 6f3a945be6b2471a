import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { FieldProblem } from '../http/page/values.js';
import type { ShownVisitor } from '../http/page/visitor.js';

/** A failed call, in the server's words. */
export class CallFailed extends Error {
  override readonly name = 'CallFailed';

  constructor(
    readonly code: string,
    message: string,
    readonly hint: string | undefined,
    /** What is wrong with each argument, where the server knows it. */
    readonly fields: readonly FieldProblem[] = [],
  ) {
    super(message);
  }
}

export type Arguments = Record<string, unknown>;

/** What the server calls the state of an answer, which it does not send again as long as it stays the same. */
const tags = new WeakMap<object, string>();

/**
 * Calls a tool that reads, or a read of the page's own (`page/board`). Resolves to `last`, what the same read was answered
 * before, if nothing has changed since. Throws CallFailed.
 */
export function read<Result>(
  tool: string,
  args: Arguments = {},
  signal?: AbortSignal,
  last?: Result & object,
): Promise<Result> {
  const query = Object.keys(args).length === 0 ? '' : `?input=${encodeURIComponent(JSON.stringify(args))}`;
  return send(`${addressOf(tool)}${query}`, signal ? { signal } : {}, last);
}

const addressOf = (tool: string): string => `/api/${tool.includes('/') ? '' : 'tools/'}${tool}`;

/** Calls a tool that changes something, or a write of the page's own (`page/create_token`). Throws CallFailed. */
export async function write<Result>(tool: string, args: Arguments): Promise<Result> {
  const result = await send<Result>(addressOf(tool), { method: 'POST', body: JSON.stringify(args) });
  for (const listener of writeListeners) listener();
  return result;
}

const writeListeners = new Set<() => void>();

/** Calls `listener` after each write of this page; returns the function that unsubscribes. */
export function onWrite(listener: () => void): () => void {
  writeListeners.add(listener);
  return () => void writeListeners.delete(listener);
}

let schemas: Promise<ReadonlyMap<string, unknown>> | undefined;

/** The input schemas of the tools that the server offers, by name; read once. Throws CallFailed. */
export function toolSchemas(): Promise<ReadonlyMap<string, unknown>> {
  schemas ??= send<{ tools: { name: string; input: unknown }[] }>('/api/tools', {}).then(
    ({ tools }) => new Map(tools.map(({ name, input }) => [name, input])),
    (error: unknown) => {
      schemas = undefined;
      throw error;
    },
  );
  return schemas;
}

/** Ends the session of this browser, and shows the page that asks who somebody is. */
export async function signOut(): Promise<void> {
  await send('/api/sign-out', { method: 'POST' });
  location.assign('/');
}

export const whoami = (): Promise<ShownVisitor> => send('/api/whoami', {});

/** Marks that turn the text around them, so that a name can look like another one (CVE-2021-42574). */
const directionMarks = /[\u202A-\u202E\u2066-\u2069]/g;

function toJson(text: string) {
  try {
    return JSON.parse(text.replace(directionMarks, ''));
  } catch {
    return undefined;
  }
}

const longestMs = 30_000;
const noAnswer = `The server has not answered for ${longestMs / 1_000} s.`;

async function send<Result>(path: string, init: RequestInit, last?: Result & object): Promise<Result> {
  let response: Response;
  const tag = last && tags.get(last);
  const timeout = AbortSignal.timeout(longestMs);
  try {
    response = await fetch(path, {
      ...init,
      ...(tag && { headers: { 'If-None-Match': tag } }),
      signal: init.signal ? AbortSignal.any([init.signal, timeout]) : timeout,
    });
  } catch (error) {
    if (timeout.aborted) throw new CallFailed('timeout', noAnswer, 'It may be busy, or stopped. Try again.');
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new CallFailed('unavailable', 'The server does not answer.', 'Is `agent-runtime dashboard` still running?');
  }
  if (last && response.status === 304) return last;
  const body = await response.text().then(toJson, () => undefined);
  const newTag = response.headers.get('ETag');
  if (newTag && body) tags.set(body, newTag);
  if (response.ok) return body as Result;
  const { code = 'internal', message = `HTTP ${response.status}`, hint, fields } = body?.error ?? {};
  if (response.status === 401) throw new CallFailed('signed_out', message, 'Load the page again to sign in.');
  throw new CallFailed(code, message, hint, fields);
}

export const VisitorContext = createContext<ShownVisitor | undefined>(undefined);

/** Whether actions are offered. The server refuses them to read-only users anyway. */
export function useMayWrite(): boolean {
  return useContext(VisitorContext)?.read_only === false;
}
