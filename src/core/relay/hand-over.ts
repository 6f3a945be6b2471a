import { newShortId } from '../../base/ids.js';
import { cut } from '../../base/text.js';
import { insertRow } from '../../store/insert-row.js';
import type { Sql } from '../../store/sql.js';
import type { Failure } from '../breakers/circuit-rows.js';
import * as fallback from '../breakers/fallback.js';
import { recordFailure, recordSuccess, releasePermitsOf } from '../breakers/guard.js';
import type { TimedChange } from '../change.js';
import { recordEvent } from '../events/events.js';
import { wakeBlockedJobs } from '../jobs/wake-jobs.js';
import { type Baton, type BatonDocument, type BatonRow, newestBatonOf, toBaton } from './baton.js';
import { type Pipeline, remainingTokens } from './pipeline.js';
import { stageOf, stepsOf } from './stage.js';
import { findStep, maxRetries, outputKeyOf, outputText, type Step } from './step.js';
import { readInput, textOfInput } from './step-input.js';

const longestSummary = 2_000;

export interface HandOver {
  stepIndex: number;
  /** 0 for the first try of the step. */
  retryCount: number;
  feedback?: readonly string[];
}

/** Makes the baton of a step and gives it to its agent, or to a fallback while that agent's breaker is open. */
export async function handOver(
  sql: Sql,
  pipeline: Pipeline,
  { stepIndex, retryCount, feedback = [] }: HandOver,
  change: TimedChange,
): Promise<Baton> {
  const step = await findStep(sql, pipeline.id, stepIndex);
  const id = newShortId();
  const chosen = await chooseAgent(sql, { agentId: step.agentId, fallback: step.fallbackAgent, batonId: id }, change);
  const document: BatonDocument = {
    ...(await describeStep(sql, pipeline, step)),
    baton_id: id,
    retry_count: retryCount,
    max_retries: maxRetries,
    created_at: new Date(change.at).toISOString(),
    passed_at: null,
    agent_type: step.agentType,
    ...holderIn(chosen),
    ...(feedback.length === 0 ? {} : { quality_feedback: [...feedback] }),
  };
  const last = await newestBatonOf(sql, pipeline.id, stepIndex);
  const row = await insertRow<BatonRow>(sql, 'relay_batons', {
    id,
    pipeline_id: pipeline.id,
    step_index: stepIndex,
    status: chosen.isAllowed ? 'pending' : 'waiting',
    retry_count: retryCount,
    attempt: (last?.attempt ?? 0) + 1,
    agent_id: chosen.agentId,
    handed_to: change.actor?.holder ?? null,
    baton: JSON.stringify(document),
    created_at: change.at,
  });
  const baton = toBaton(row);
  await recordHandOver(sql, baton, step, chosen, change);
  return baton;
}

/** The batons of a step and of all that work beside it. */
export async function handOverStage(
  sql: Sql,
  pipeline: Pipeline,
  stepIndex: number,
  change: TimedChange,
): Promise<Baton[]> {
  const batons: Baton[] = [];
  for (const index of stepsOf(await stageOf(sql, pipeline.id, stepIndex))) {
    batons.push(await handOver(sql, pipeline, { stepIndex: index, retryCount: 0 }, change));
  }
  return batons;
}

/** Why no agent may take a baton now. */
export interface Refused {
  refusal: string;
  /** Undefined when only a reset by hand helps. */
  retryAfterMs: number | undefined;
  /** Ids of the breakers that refused it. */
  refusedBy: readonly string[];
}

export type Admitted = { baton: Baton } | Refused;

/** Asks the breakers again for a baton that is waiting. Any other baton is returned as it is. */
export async function admitWaiting(sql: Sql, baton: Baton, step: Step, change: TimedChange): Promise<Admitted> {
  if (baton.status !== 'waiting') return { baton };
  const request = { agentId: step.agentId, fallback: step.fallbackAgent, batonId: baton.id };
  const chosen = await chooseAgent(sql, request, change);
  if (!chosen.isAllowed) {
    const refusal = `No agent may work on step ${step.stepIndex} now: ${chosen.note}`;
    return { refusal, retryAfterMs: chosen.retryAfterMs, refusedBy: chosen.refusedBy ?? [] };
  }
  const { handed_over: _, ...waiting } = baton.document;
  const document: BatonDocument = { ...waiting, ...holderIn(chosen) };
  await sql.run(
    "update relay_batons set status = 'pending', agent_id = ?, baton = ? where id = ?",
    chosen.agentId,
    JSON.stringify(document),
    baton.id,
  );
  const admitted: Baton = { ...baton, status: 'pending', agentId: chosen.agentId, document };
  await recordHandOver(sql, admitted, step, chosen, change);
  return { baton: admitted };
}

const holderIn = ({ agentId, note }: ChosenAgent): Pick<BatonDocument, 'agent_id' | 'handed_over'> => ({
  agent_id: agentId,
  ...(note === undefined ? {} : { handed_over: note }),
});

async function describeStep(sql: Sql, pipeline: Pipeline, step: Step) {
  const { earlier, input } = await readInput(sql, step);
  return {
    sequence_position: step.stepIndex + 1,
    total_agents: pipeline.totalSteps,
    input_key: input.map(({ outputKey }) => outputKey ?? '').join(', '),
    input_summary: textOfInput(input, ({ outputSummary, output }) =>
      cut(outputSummary ?? outputText(output), Math.floor(longestSummary / input.length)),
    ),
    input_entity_id: earlier.length === 0 ? pipeline.initialEntityId : (input.at(-1)?.outputEntityId ?? null),
    task_description: [step.taskTemplate, step.instructions].filter(Boolean).join('\n\n'),
    output_key: outputKeyOf(step),
    expected_output_type: step.expectedOutputType,
    quality_threshold: step.qualityThreshold,
    l_score_threshold: step.lScoreThreshold,
    max_output_tokens: step.maxTokens,
    remaining_budget: await remainingTokens(sql, pipeline),
    tokens_used: 0,
    source_chain: earlier.map((result) => result.outputEntityId ?? result.outputKey ?? `step ${result.stepIndex}`),
    l_score_chain: earlier.map((result) => result.lScore),
    derivation_method: step.derivationMethod,
    fallback_agent: step.fallbackAgent,
    pipeline_id: pipeline.id,
  };
}

async function recordHandOver(
  sql: Sql,
  baton: Baton,
  step: Step,
  chosen: ChosenAgent,
  change: TimedChange,
): Promise<void> {
  await recordEvent(sql, {
    ...change,
    subject: 'relay',
    subjectId: baton.pipelineId,
    type: chosen.isAllowed ? 'baton_handed_over' : 'baton_waiting',
    data: {
      baton_id: baton.id,
      step: baton.stepIndex,
      agent: chosen.agentId,
      ...(chosen.agentId === step.agentId ? {} : { in_place_of: step.agentId }),
      ...(chosen.note === undefined ? {} : { note: chosen.note }),
    },
  });
}

export interface AgentRequest {
  agentId: string;
  /** Asked first when the agent's breaker is open; then the fallbacks that the breakers are configured with. */
  fallback: string | null;
  batonId: string;
}

export interface ChosenAgent {
  agentId: string;
  /** False when no breaker of the chain allows a call: then `agentId` is the step's own agent. */
  isAllowed: boolean;
  /** Why it is not simply the step's own agent. */
  note?: string;
  /** When a breaker may allow a call again; absent when only a reset by hand helps. */
  retryAfterMs?: number | undefined;
  /** The agents whose breakers refused it. */
  refusedBy?: readonly string[];
}

/** A half-open breaker gets its permit back after this, should the baton never come back. */
const longestHoldMs = 30 * 60_000;

/** Chooses who takes a baton: the step's own agent, or the first of its fallbacks whose breaker allows it. */
export async function chooseAgent(sql: Sql, request: AgentRequest, { clock }: TimedChange): Promise<ChosenAgent> {
  const { agentId, batonId } = request;
  const { agent, path, retryAfterMs } = await fallback.chooseAgent(
    sql,
    agentId,
    { holder: holderOf(batonId), callMs: longestHoldMs, fallback: request.fallback ?? undefined },
    clock,
  );
  if (agent === agentId) return { agentId, isAllowed: true };
  const refused = path.flatMap((asked) => (asked.answer.allowed ? [] : [asked.agent]));
  const open = refused.length === 1 ? `the breaker of ${agentId} is` : `the breakers of ${refused.join(', ')} are`;
  return agent === undefined
    ? {
        agentId,
        isAllowed: false,
        note: `${open} open, and there is no other fallback.`,
        retryAfterMs,
        refusedBy: refused,
      }
    : { agentId: agent, isAllowed: true, note: `${agent} stands in for ${agentId}: ${open} open.` };
}

export async function reportSuccess(sql: Sql, agentId: string, batonId: string, change: TimedChange): Promise<void> {
  await releasePermit(sql, batonId);
  const { from, to } = await recordSuccess(sql, agentId, change);
  if (from !== to && to === 'closed') await wakeBlockedJobs(sql, agentId, change);
}

export async function reportFailure(
  sql: Sql,
  agentId: string,
  batonId: string,
  failure: Failure,
  change: TimedChange,
): Promise<void> {
  await releasePermit(sql, batonId);
  await recordFailure(sql, agentId, failure, change);
}

/** Gives the breaker's permit back when the outcome says nothing about the agent. */
export const releasePermit = (sql: Sql, batonId: string): Promise<void> => releasePermitsOf(sql, holderOf(batonId));

const holderOf = (batonId: string): string => `relay:${batonId}`;
