import { Worker } from 'node:worker_threads';
import { messageOf } from '../../base/errors.js';
import type { Agent } from '../define-agent.js';
import { checkPayload, describePayload } from '../payload-schema.js';
import { importAgents } from './import-agents.js';
import type { DescribedAgent, ModuleAnswer, ModuleQuestion } from './module-host.js';

/**
 * What the process of a module host does: imports the module, and answers what is asked about it until whoever asks is
 * gone. The module may print, hang or exit here; its server does not notice.
 */
export function serveModule(path: string): void {
  // Taken before the module can put something else in its place.
  const send = process.send?.bind(process);
  if (!send) throw new Error('A module host is started by a process that asks it.');
  endWithParent();
  const agents = importAgents(path);
  agents.catch(() => {});
  process.on('message', async (message: { id: number; question: ModuleQuestion }) => {
    send({ id: message.id, answer: await answer(message.question, agents) });
  });
}

/**
 * The channel's end ends this process, unless the module holds its thread: then nothing of that is heard here, and a
 * thread of its own has to look whether the parent is still the same.
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
