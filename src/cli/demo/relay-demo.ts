import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { RuntimeError } from '../../base/errors.js';
import type { CommandContext } from '../define-command.js';
import { type DemoServer, startServer, usableModel, whyModelIsSilent } from './demo-server.js';

/** What the demo prints with --json. */
interface RelayReport {
  home: string;
  database: string;
  model: string;
  pipeline_id: string;
  survived_kill_of_pid: number;
  /** How many steps had passed when the server was killed. */
  killed_after_steps: number;
  status: string;
  steps: { agent: string; status: string; quality: number; l_score: number; tokens: number }[];
  average_quality: number | null;
  tokens_used: number;
  output: string;
}

/** As get_relay_status shows it with all fields. */
interface RelayStatus {
  status: string;
  current_step: number;
  tokens_used: number;
  average_quality: number | null;
  results: {
    agent_id: string;
    status: string;
    quality_score: number;
    l_score: number;
    tokens_used: number;
    error_message: string | null;
    output?: unknown;
  }[];
  run?: { running: boolean; doing?: string };
  error?: { message: string };
}

const agents = ['researcher', 'analyzer', 'synthesizer', 'formatter'];
const pollMs = 100;

/** A relay ends long before this: its calls have timeouts, and its steps a limited number of attempts. */
const longestMs = 30 * 60_000;

/**
 * Shows a relay of four agents that the configured model runs, in a temporary home. The server that started it is killed
 * with SIGKILL half way, and another one reads the result. Throws `not_configured` without a model, and `unavailable` if
 * the relay does not complete.
 */
export async function runRelayDemo({ flags, output }: CommandContext): Promise<void> {
  const say = (text: string) => (flags.isJson ? undefined : output.print(text));
  const home = mkdtempSync(join(tmpdir(), 'agent-runtime-demo-'));
  say(`A server is started the way an MCP client starts it, in the empty home ${home}\n`);
  const first = await startServer(home);
  const model = await requireModel(first, home);

  const pipeline_id = await startRelay(first, model, say);
  const report = createAttemptReporter(say);
  const half = await follow(first, pipeline_id, report, ({ current_step }) => current_step >= agents.length / 2);
  process.kill(first.pid, 'SIGKILL');
  say(`\n   kill -9 ${first.pid}: the server is dead, the relay is not\n`);

  const second = await startServer(home);
  const end = await follow(second, pipeline_id, report, ({ run }) => run?.running === false);
  await second.close();
  const relay = toReport(end, { home, model, pipeline_id, killedPid: first.pid, stepsAtKill: half.current_step });
  requireCompleted(end, relay);
  if (flags.isJson) return output.printJson(relay);
  say(`\n${relay.output}\n`);
  say(`${agents.length} steps passed, average quality ${end.average_quality}, ${end.tokens_used} tokens.`);
  say(`All of it is stored in ${relay.database}`);
  say(
    `Look around:  HOME=${home} agent-runtime tool get_relay_status --arg pipeline_id=${pipeline_id} --arg fields=full`,
  );
  say(`Clean up:     rm -r ${home}`);
}

/** The model that will run the relay. Without one, stops the server, removes its home and throws `not_configured`, or `unavailable` for one
 * that does not answer. */
async function requireModel(server: DemoServer, home: string): Promise<string> {
  const model = usableModel(await server.call('runtime_status'));
  const reason = model === undefined ? undefined : await whyModelIsSilent(server, model);
  if (model !== undefined && reason === undefined) return model;
  await server.close();
  rmSync(home, { recursive: true, force: true });
  if (reason !== undefined) {
    const message = `The model ${model} does not answer: ${reason}`;
    throw new RuntimeError(
      'unavailable',
      message,
      'Correct its key or address, or set AGENT_RUNTIME_MODEL to another.',
    );
  }
  throw new RuntimeError(
    'not_configured',
    'A relay that runs by itself needs a model, and none is configured.',
    'Set ANTHROPIC_API_KEY or GOOGLE_API_KEY, or start Ollama with a model pulled, and try again. ' +
      "(The demo's temporary home does not have the login of Claude Code.)",
  );
}

interface Origin {
  home: string;
  model: string;
  pipeline_id: string;
  killedPid: number;
  stepsAtKill: number;
}

function toReport(end: RelayStatus, { home, model, pipeline_id, killedPid, stepsAtKill }: Origin): RelayReport {
  return {
    home,
    database: join(home, '.claude', 'agent_runtime.db'),
    model,
    pipeline_id,
    survived_kill_of_pid: killedPid,
    killed_after_steps: stepsAtKill,
    status: end.status,
    steps: end.results.map(({ agent_id, status, quality_score, l_score, tokens_used }) => ({
      agent: agent_id,
      status,
      quality: quality_score,
      l_score,
      tokens: tokens_used,
    })),
    average_quality: end.average_quality,
    tokens_used: end.tokens_used,
    output: String(end.results.at(-1)?.output ?? ''),
  };
}

function requireCompleted({ status, error }: RelayStatus, { database, home, pipeline_id }: RelayReport): void {
  if (status === 'completed') return;
  throw new RuntimeError(
    'unavailable',
    `The relay is ${status}: ${error?.message ?? 'no reason was stored'}`,
    `All of it is stored in ${database}. HOME=${home} agent-runtime tool run_relay --arg pipeline_id=${pipeline_id} continues it.`,
  );
}

async function startRelay(server: DemoServer, model: string, say: (text: string) => void): Promise<string> {
  const { pipeline_id } = await server.call('create_relay_pipeline', {
    name: 'Three irises',
    goal: 'A guide of 150 words that tells Iris setosa, versicolor and virginica apart by their petals and sepals.',
    steps: agents.map((agent_type) => ({ agent_type, max_tokens: 1_500 })),
  });
  say(`create_relay_pipeline  ${pipeline_id}: ${agents.join(' -> ')}`);
  const { run_id } = await server.call('run_relay', { pipeline_id: String(pipeline_id) });
  say(`run_relay              job ${run_id}, each step done and judged by ${model} in a process of its own`);
  return String(pipeline_id);
}

/** Prints each attempt once, whichever server it was read from. */
function createAttemptReporter(say: (text: string) => void): (results: RelayStatus['results']) => void {
  let printed = 0;
  return (results) => {
    for (const result of results.slice(printed)) say(lineOf(result));
    printed = results.length;
  };
}

/** Polls until `isThere` is true or the relay no longer runs. Throws `timeout` after half an hour. */
async function follow(
  server: DemoServer,
  pipeline_id: string,
  report: (results: RelayStatus['results']) => void,
  isThere: (status: RelayStatus) => boolean,
): Promise<RelayStatus> {
  for (const giveUpAt = performance.now() + longestMs; performance.now() < giveUpAt; await sleep(pollMs)) {
    const status = (await server.call('get_relay_status', { pipeline_id, fields: 'full' })) as unknown as RelayStatus;
    report(status.results);
    if (isThere(status) || status.run?.running === false) return status;
  }
  throw new RuntimeError('timeout', `The relay ${pipeline_id} has not ended after half an hour.`);
}

function lineOf({
  agent_id,
  status,
  quality_score,
  l_score,
  tokens_used,
  error_message,
}: RelayStatus['results'][number]) {
  const scores = `quality ${quality_score}, l-score ${l_score}, ${tokens_used} tokens`;
  return `   ${agent_id.padEnd(20)}${status}: ${scores}${error_message === null ? '' : `; ${error_message}`}`;
}
