import { fileURLToPath } from 'node:url';
import { messageOf } from '../../base/errors.js';
import type { Agent } from '../define-agent.js';
import { checkPayload, describePayload } from '../payload-schema.js';
import { type HangWatch, watchForHang } from './hang-watch.js';
import type { ImportedFiles } from './hook-modules.js';
import { importAgents } from './import-agents.js';
import type { DescribedAgent, ModuleAnswer, ModuleQuestion, TrialRequest, TriedEvent } from './module-process.js';
import { syntaxPlace } from './syntax-place.js';

/**
 * The main function of a module host's process: imports the module, and answers questions about it until its parent is
 * gone. The module may print, hang or exit here without harm to the server.
 */
export function serveModule(path: string, importedFiles: ImportedFiles): void {
  // Bound before the module can replace it.
  const send = process.send?.bind(process);
  if (!send) throw new Error('The process of a module host must be started with an IPC channel.');
  process.on('disconnect', () => process.exit());
  const watch = watchForHang();
  watch.begin();
  const agents = importAgents(path);
  const filesNow = () => [...new Set([path, ...importedFiles().map((url) => fileURLToPath(url))])];
  // The module may hang from here on: its parent knows then which files it is made of.
  const early = setTimeout(() => send({ imported: filesNow() }), 1_000);
  agents
    .catch(() => {})
    .finally(() => {
      clearTimeout(early);
      watch.done();
    });
  const stopping = new AbortController();
  process.on('message', async (message: ModuleMessage) => {
    if ('stop' in message) return stopping.abort('cancelled');
    const { id, question } = message;
    const served = { agents, filesNow, watch };
    if (question.ask !== 'try') return send({ id, answer: await answer(question, served) });
    // Ctrl-C reaches the whole group, and the parent says what is to happen.
    process.on('SIGINT', () => {});
    send({ id, answer: await attempt(question.request, served, { stopping, tell: (event) => send({ event }) }) });
  });
}

type ModuleMessage = { id: number; question: ModuleQuestion | { ask: 'try'; request: TrialRequest } } | { stop: true };

async function attempt(
  request: TrialRequest,
  { agents, filesNow }: Served,
  { stopping, tell }: { stopping: AbortController; tell(event: TriedEvent): void },
) {
  try {
    const agent = (await agents).find(({ type }) => type === request.type);
    if (!agent) return { kind: 'failed', reason: `It exports no agent ${request.type}.`, files: filesNow() };
    const { tryAgent } = await import('./try-agent.js');
    setTimeout(() => stopping.abort('timeout'), request.timeoutSeconds * 1000).unref();
    return { kind: 'tried', outcome: await tryAgent(agent, request, { tell, signal: stopping.signal }) };
  } catch (error) {
    return { kind: 'failed', reason: await explain(error, filesNow()), files: filesNow() };
  }
}

interface Served {
  agents: Promise<Agent[]>;
  filesNow(): string[];
  watch: HangWatch;
}

async function answer(question: ModuleQuestion, { agents, filesNow, watch }: Served): Promise<ModuleAnswer> {
  try {
    const known = await agents;
    const described = { agents: known.map(describe), files: filesNow() };
    if (question.ask === 'describe') return { kind: 'described', ...described };
    const agent = known.find(({ type }) => type === question.type);
    if (!agent) return { kind: 'failed', reason: `It exports no agent ${question.type} any more.`, files: filesNow() };
    watch.begin();
    const checked = await checkPayload(agent.payload, question.payload).finally(() => watch.done());
    const refused = 'problem' in checked ? checked : undefined;
    return { kind: 'checked', problem: refused?.problem, fields: refused?.fields, ...described };
  } catch (error) {
    return { kind: 'failed', reason: await explain(error, filesNow()), files: filesNow() };
  }
}

async function explain(error: unknown, files: readonly string[]): Promise<string> {
  const isSyntax = error instanceof Error && error.cause instanceof SyntaxError;
  const place = isSyntax ? await syntaxPlace(files) : undefined;
  return place === undefined ? messageOf(error) : `${messageOf(error)} It is at ${place}.`;
}

function describe({ type, description, concurrency, timeoutSeconds, payload }: Agent): DescribedAgent {
  return { type, description, concurrency, timeoutSeconds, schema: describePayload(payload) };
}
