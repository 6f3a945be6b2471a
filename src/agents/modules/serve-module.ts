import { Worker } from 'node:worker_threads';
import { messageOf } from '../../base/errors.js';
import type { Agent } from '../define-agent.js';
import { checkPayload, describePayload } from '../payload-schema.js';
import { importAgents } from './import-agents.js';
import type { DescribedAgent, ModuleAnswer, ModuleQuestion } from './module-host.js';

/**
 * The main function of a module host's process: imports the module, and answers questions about it until its parent is
 * gone. The module may print, hang or exit here without harm to the server.
 */
export function serveModule(path: string): void {
  // Bound before the module can replace it.
  const send = process.send?.bind(process);
  if (!send) throw new Error('The process of a module host must be started with an IPC channel.');
  endWithParent();
  const agents = importAgents(path);
  agents.catch(() => {});
  process.on('message', async (message: { id: number; question: ModuleQuestion }) => {
    send({ id: message.id, answer: await answer(message.question, agents) });
  });
}

/**
 * Ends this process when the channel closes. If the module blocks the main thread, that event never arrives, so a worker
 * thread also watches whether the parent is still the same.
 */
function endWithParent(): void {
  process.on('disconnect', () => process.exit());
  const watch = `setInterval(() => process.ppid === ${process.ppid} || process.kill(process.pid, 'SIGKILL'), 1000)`;
  new Worker(watch, { eval: true, execArgv: [] }).unref();
}

async function answer(question: ModuleQuestion, agents: Promise<Agent[]>): Promise<ModuleAnswer> {
  try {
    const known = await agents;
    if (question.ask === 'describe') return { kind: 'described', agents: known.map(describe) };
    const agent = known.find(({ type }) => type === question.type);
    if (!agent) return { kind: 'failed', reason: `It exports no agent ${question.type} any more.` };
    const checked = await checkPayload(agent.payload, question.payload);
    return { kind: 'checked', problem: 'problem' in checked ? checked.problem : undefined };
  } catch (error) {
    return { kind: 'failed', reason: messageOf(error) };
  }
}

function describe({ type, description, concurrency, timeoutSeconds, payload }: Agent): DescribedAgent {
  return { type, description, concurrency, timeoutSeconds, schema: describePayload(payload) };
}
