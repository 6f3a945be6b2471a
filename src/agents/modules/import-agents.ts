import { pathToFileURL } from 'node:url';
import { RuntimeError } from '../../base/errors.js';
import type { Agent } from '../define-agent.js';
import { isStandardSchema } from '../payload-schema.js';

/**
 * Imports a module of the user's own into this process and returns the agents that it exports, under any name. This runs
 * the module's code, which may do anything, so only runners and module hosts call it, never a server.
 *
 * @throws RuntimeError `not_configured` when it does not load, or an export is not a valid agent; the subject of the message
 * is "It"
 */
export async function importAgents(path: string): Promise<Agent[]> {
  const exported = await importModule(path);
  const candidates = [...new Set(Object.values(exported).flat())].filter(looksLikeAgent);
  if (candidates.length === 0) {
    throw refused('exports no agent. Write: export default defineAgent({ type, description, payload, execute })');
  }
  return candidates.map((candidate) => {
    const problem = problemOf(candidate);
    if (problem) throw refused(`exports an agent ${JSON.stringify(candidate.type)} whose ${problem}`);
    return candidate as unknown as Agent;
  });
}

/** A job type, which is also a label in metrics. */
const typeName = /^[a-z][a-z0-9_]{0,99}$/;

async function importModule(path: string): Promise<Record<string, unknown>> {
  try {
    return (await import(pathToFileURL(path).href)) as Record<string, unknown>;
  } catch (cause) {
    const reason = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
    throw refused(`cannot be loaded: ${reason}`, cause);
  }
}

type Candidate = Record<keyof Agent, unknown>;

function looksLikeAgent(value: unknown): value is Candidate {
  return typeof value === 'object' && value !== null && 'type' in value && 'execute' in value;
}

function problemOf({
  type,
  description,
  payload,
  concurrency,
  timeoutSeconds,
  execute,
}: Candidate): string | undefined {
  if (typeof type !== 'string' || !typeName.test(type)) return 'type is not lower case words such as count_words';
  if (typeof description !== 'string' || description.trim() === '') return 'description is missing';
  if (!isStandardSchema(payload)) return 'payload is not a schema of zod (3.24 or newer), Valibot or ArkType';
  if (!isPositive(concurrency)) return 'concurrency is not a whole number from 1';
  if (!isPositive(timeoutSeconds, 86_400)) return 'timeoutSeconds is not a whole number from 1 to 86,400';
  if (typeof execute !== 'function') return 'execute is not a function';
  return undefined;
}

function isPositive(value: unknown, most = Number.MAX_SAFE_INTEGER): boolean {
  return value === undefined || (Number.isSafeInteger(value) && Number(value) >= 1 && Number(value) <= most);
}

function refused(what: string, cause?: unknown): RuntimeError {
  return new RuntimeError('not_configured', `It ${what}${/[.!?]$/.test(what) ? '' : '.'}`, undefined, { cause });
}
