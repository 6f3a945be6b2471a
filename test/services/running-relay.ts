import type { NewPipeline } from '../../src/core/relay/create-pipeline.js';
import type { PipelineDetail } from '../../src/core/relay/relays.js';
import { type RelayRunRequest, startRelayRun } from '../../src/services/run-relay.js';
import type { RecordedRequest } from '../fixtures/models/scripted-server.js';
import { type Background, type BackgroundOptions, background, session } from '../runner/fixtures/background.js';
import { eventually } from '../support/eventually.js';

export const isJudged = ({ prompt }: RecordedRequest) => prompt.startsWith('Judge the output');
const agentOf = ({ prompt }: RecordedRequest) => /^Agent #\d+\/\d+: (\w+)/m.exec(prompt)?.[1] ?? '';
export const verdict = (quality_score: number, reason = 'Good.') =>
  JSON.stringify({ quality_score, l_score: 0.8, reason });

/** How the vendor answers; well, unless it is said here. */
interface Vendor {
  work?: (request: RecordedRequest) => string;
  judge?: (request: RecordedRequest) => string;
}

export interface Running extends Background {
  id: string;
  run(more?: Partial<RelayRunRequest>): ReturnType<typeof startRelayRun>;
  /** Resolves when the relay is in that state and nothing works on it. */
  until(status: string): Promise<PipelineDetail>;
  /** What the vendor was asked: the agent's name, or `judge`. */
  asked(): string[];
  prompts(agent: string): string[];
}

/** A relay of three agents, with real runners and a vendor that both works and judges. */
export async function running(
  more: Partial<NewPipeline> = {},
  { work, judge }: Vendor = {},
  options: BackgroundOptions = {},
): Promise<Running> {
  const reply = (request: RecordedRequest) =>
    isJudged(request) ? (judge?.(request) ?? verdict(0.9)) : (work?.(request) ?? `By the ${agentOf(request)}.`);
  const runtime = await background({ model: { reply }, ...options });
  const agents = more.steps ? {} : { agentTypes: ['researcher', 'analyzer', 'formatter'] };
  const request = { name: 'Prices', goal: 'Compare the prices', tokenBudget: 1_000_000, ...agents, ...more };
  const { pipeline } = await runtime.relays.create(request, session);
  const { requests } = runtime.server;
  return Object.assign(runtime, {
    id: pipeline.id,
    run: (more: Partial<RelayRunRequest> = {}) =>
      startRelayRun({ pipeline_id: pipeline.id, ...more }, session, runtime),
    until: (status: string) =>
      eventually(`the relay is ${status}`, async () => {
        await runtime.jobs.sweep(session);
        await runtime.db.run(
          "update jobs set run_at = 0, run_tick = 0 where status = 'pending' and error_code is distinct from 'postponed'",
        );
        const detail = await runtime.relays.get(pipeline.id);
        return detail.pipeline.status === status && !detail.run?.isRunning ? detail : undefined;
      }),
    asked: () => requests.map((request) => (isJudged(request) ? 'judge' : agentOf(request))),
    prompts: (agent: string) =>
      requests.filter((request) => agentOf(request) === agent && !isJudged(request)).map(({ prompt }) => prompt),
  });
}
