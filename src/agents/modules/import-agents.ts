import { pathToFileURL } from 'node:url';
import { RuntimeError } from '../../base/errors.js';
import { importFile } from '../../base/import-file.js';
import type { Agent } from '../define-agent.js';
import { ownPlace } from '../own-stack.js';
import { isStandardSchema } from '../payload-schema.js';

/**
 * Imports a module of the user's own into this process and returns the agents that it exports, under any name. This runs
 * the module's code, which may do anything, so only runners and module hosts call it, never a server.
 *
 * @throws RuntimeError `not_configured` when it does not load, or an export is not a valid agent, with all that it lacks;
 * the subject of the message is "It"
 */
export async function importAgents(path: string): Promise<Agent[]> {
  const exported = await importModule(path);
  const candidates = [...new Set(Object.values(exported).flat())].filter(looksLikeAgent);
  if (candidates.length === 0) throw refused(`exports no agent${whatItExports(exported)}. ${howToWrite}`);
  return candidates.map((candidate) => {
    const problems = problemsOf(candidate);
    if (problems.length > 0) {
      throw refused(
        `exports an agent ${JSON.stringify(candidate.type) ?? 'without a type'} whose ${problems.join(', ')}`,
      );
    }
    return candidate as unknown as Agent;
  });
}

const howToWrite = 'Write: export default defineAgent({ type, description, payload, execute })';

/** A job type, which is also a label in metrics. */
const typeName = /^[a-z][a-z0-9_]{0,99}$/;

async function importModule(path: string): Promise<Record<string, unknown>> {
  try {
    return await importFile(pathToFileURL(path).href);
  } catch (cause) {
    const reason = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
    const place = ownPlace(cause);
    throw refused(`cannot be loaded: ${reason}${place === undefined ? '' : ` (${place})`}`, cause);
  }
}

type Candidate = Record<keyof Agent, unknown>;

/** An object that has something of an agent, perhaps not all. */
function looksLikeAgent(value: unknown): value is Candidate {
  if (typeof value !== 'object' || value === null || isStandardSchema(value)) return false;
  return 'execute' in value || ('type' in value && 'payload' in value);
}

function whatItExports(exported: Record<string, unknown>): string {
  const { default: main } = exported;
  if (main === undefined) {
    const names = Object.keys(exported);
    return names.length === 0 ? ': it exports nothing' : `: it exports ${names.join(', ')}, and no default`;
  }
  if (typeof main === 'function') return ': its default export is a function, which belongs into an agent as execute';
  if (typeof main !== 'object' || main === null)
    return `: its default export is ${JSON.stringify(main) ?? typeof main}`;
  const missing = ['type', 'description', 'payload', 'execute'].filter((name) => !(name in main));
  return `: its default export lacks ${missing.join(', ')}`;
}

function problemsOf({ type, description, payload, concurrency, timeoutSeconds, execute }: Candidate): string[] {
  const isTyped = typeof type === 'string' && typeName.test(type);
  const isDescribed = typeof description === 'string' && description.trim() !== '';
  const checks: [isRight: boolean, problem: string][] = [
    [isTyped, type === undefined ? 'type is missing' : 'type is not lower case words such as count_words'],
    [isDescribed, 'description is missing'],
    [
      isStandardSchema(payload),
      payload === undefined
        ? 'payload is missing: a schema such as z.object({})'
        : 'payload is not a schema of zod (3.24 or newer), Valibot or ArkType',
    ],
    [isPositive(concurrency), 'concurrency is not a whole number from 1'],
    [isPositive(timeoutSeconds, 86_400), 'timeoutSeconds is not a whole number from 1 to 86,400'],
    [typeof execute === 'function', execute === undefined ? 'execute is missing' : 'execute is not a function'],
  ];
  return checks.flatMap(([isRight, problem]) => (isRight ? [] : [problem]));
}

function isPositive(value: unknown, most = Number.MAX_SAFE_INTEGER): boolean {
  return value === undefined || (Number.isSafeInteger(value) && Number(value) >= 1 && Number(value) <= most);
}

function refused(what: string, cause?: unknown): RuntimeError {
  return new RuntimeError('not_configured', `It ${what}${/[.!?]$/.test(what) ? '' : '.'}`, undefined, { cause });
}
