import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { RuntimeError } from '../base/errors.js';
import { type DemoOptions, type Server, startServer, usableModel } from './demo.js';
import { createOutput } from './output.js';

/** What the demo shows; with --json the whole of what it prints. */
interface RelayReport {
  home: string;
  database: string;
  model: string;
  pipeline_id: string;
  survived_kill_of_pid: number;
  /** How many steps had passed by then. */
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

/** A relay gives up long before: each of its calls has a timeout, each of its steps a number of tries. */
const longestMs = 30 * 60_000;

/**
 * A relay of four agents, run to its end by whatever model is configured, in a temporary home: the server that started it
 * is killed with SIGKILL half way, and another one reads the end. Throws `not_configured` without a model, `unavailable`
 * when the relay does not complete.
 */
export async function runRelayDemo({ json }: DemoOptions): Promise<void> {
  const output = createOutput();
  const say = (text: string) => (json ? undefined : output.print(text));
  const home = mkdtempSync(join(tmpdir(), 'agent-runtime-demo-'));
  say(`A server is started the way an MCP client starts it, in the empty home ${home}\n`);
  const first = await startServer({ home });
  const model = usableModel(await first.call('runtime_status'));
  if (model === undefined) {
    await first.close();
    rmSync(home, { recursive: true, force: true });
    throw new RuntimeError(
      'not_configured',
      'A relay that runs by itself needs a model, and none is configured.',
      "Set ANTHROPIC_API_KEY or GOOGLE_API_KEY, or start Ollama with a model pulled, and repeat. (Claude Code's own login does not reach into the demo's temporary home.)",
    );
  }

  const pipeline_id = await startRelay(first, model, say);
  const tell = createTeller(say);
  const half = await follow(first, pipeline_id, tell, ({ current_step }) => current_step >= agents.length / 2);
  process.kill(first.pid, 'SIGKILL');
  say(`\n   kill -9 ${first.pid}: the server is dead, the relay is not\n`);

  const second = await startServer({ home });
  const end = await follow(second, pipeline_id, tell, ({ run }) => run?.running === false);
  await second.close();
  const report: RelayReport = {
    home,
    database: join(home, '.claude', 'agent_runtime.db'),
    model,
    pipeline_id,
    survived_kill_of_pid: first.pid,
    killed_after_steps: half.current_step,
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
  if (end.status !== 'completed') {
    throw new RuntimeError(
      'unavailable',
      `The relay is ${end.status}: ${end.error?.message ?? 'no reason was kept'}`,
      `All of it is stored in ${report.database}. HOME=${home} agent-runtime tool run_relay pipeline_id=${pipeline_id} goes on from there.`,
    );
  }
  if (json) return output.printJson(report);
  say(`\n${report.output}\n`);
  say(`${agents.length} steps passed, average quality ${end.average_quality}, ${end.tokens_used} tokens.`);
  say(`All of it is stored in ${report.database}`);
  say(`Look around:  HOME=${home} agent-runtime tool get_relay_status pipeline_id=${pipeline_id} fields=full`);
  say(`Clean up:     rm -r ${home}`);
}

async function startRelay(server: Server, model: string, say: (text: string) => void): Promise<string> {
  const { pipeline_id } = await server.call('create_relay_pipeline', {
    name: 'Three irises',
    goal: 'A guide of 150 words that tells Iris setosa, versicolor and virginica apart by their petals and sepals.',
    steps: agents.map((agent_type) => ({ agent_type, max_tokens: 1_500 })),
  });
  say(`create_relay_pipeline  ${pipeline_id}: ${agents.join(' -> ')}`);
  const { run_id } = await server.call('run_relay', { pipeline_id: String(pipeline_id) });
  say(`run_relay              job ${run_id}, each step worked on and judged by ${model} in a process of its own`);
  return String(pipeline_id);
}

/** Tells of each attempt once, whichever server has read of it. */
function createTeller(say: (text: string) => void): (results: RelayStatus['results']) => void {
  let told = 0;
  return (results) => {
    for (const result of results.slice(told)) say(lineOf(result));
    told = results.length;
  };
}

/** Resolves when the relay has come as far as is wanted, or nothing works on it any more. */
async function follow(
  server: Server,
  pipeline_id: string,
  tell: (results: RelayStatus['results']) => void,
  isThere: (status: RelayStatus) => boolean,
): Promise<RelayStatus> {
  for (const giveUpAt = performance.now() + longestMs; performance.now() < giveUpAt; await sleep(pollMs)) {
    const status = (await server.call('get_relay_status', { pipeline_id, fields: 'full' })) as unknown as RelayStatus;
    tell(status.results);
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
